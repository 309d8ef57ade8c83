// Copies of blobs that the storage makes by itself.
#include "repo/pruner/joined_packs.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

#include "tests/pruner/pruned_repository.h"
#include "tests/support/joining_storage.h"

namespace restree::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

PackId pack_id(unsigned number) {
  PackId id;
  id.bytes[0] = static_cast<std::byte>(number);
  return id;
}

IndexedBlob blob(unsigned number, BlobType type, std::uint32_t offset) {
  BlobId id;
  id.bytes[0] = static_cast<std::byte>(number);
  return {.id = id, .type = type, .offset = offset, .length = 100, .raw_length = 0};
}

// The first bytes of the ids of each new pack's blobs.
std::vector<std::vector<unsigned>> planned(const WholeIndex& index, std::uint64_t pack_bytes) {
  std::vector<std::uint32_t> positions(index.blob_count());
  std::iota(positions.begin(), positions.end(), 0);
  std::vector<std::vector<unsigned>> packs;
  for (const auto& pack : plan_joined_packs(index, positions, pack_bytes)) {
    std::vector<unsigned>& numbers = packs.emplace_back();
    for (const std::uint32_t position : pack) {
      numbers.push_back(std::to_integer<unsigned>(index.entry(position).id.bytes[0]));
    }
  }
  return packs;
}

TEST(JoinedPacksTest, HaveOneTypeOfBlobsInTheOrderOfTheOldPacksUntilTheyAreFull) {
  IndexBuilder builder;
  builder.add(pack_id(1), std::vector{blob(9, BlobType::kData, 0), blob(8, BlobType::kTree, 100),
                                      blob(1, BlobType::kData, 200)});
  builder.add(pack_id(2), std::vector{blob(5, BlobType::kData, 0), blob(2, BlobType::kData, 100),
                                      blob(4, BlobType::kTree, 200)});
  const auto index = std::move(builder).build(1);
  EXPECT_THAT(planned(index, 1000), ElementsAre(ElementsAre(9U, 1U, 5U, 2U), ElementsAre(8U, 4U)));
  EXPECT_THAT(planned(index, 250),
              ElementsAre(ElementsAre(9U, 1U, 5U), ElementsAre(2U), ElementsAre(8U, 4U)));
}

TEST(JoinedPacksTest, AreNoneOfNothing) {
  EXPECT_THAT(planned(IndexBuilder().build(1), 1000), IsEmpty());
}

class PruneByJoining : public PrunedRepository {
 protected:
  // Of each pack of four blobs, two are used.
  void fill_halves() {
    blobs_a_pack_ = 4;
    forgotten_ = snapshot({1, 2, 3, 4, 5, 6, 7, 8});
    kept_ = snapshot({1, 2, 6, 8}, "g");
    forget(forgotten_);
    options_.writer.pack_bytes = 4 * kBlobBytes;
  }
  void expect_pruned() {
    EXPECT_EQ(damage_of(shared()), "");
    EXPECT_EQ(blob_count(), 5) << "four of data, and a tree";
    for (const unsigned blob : {1U, 2U, 6U, 8U}) EXPECT_TRUE(has(blob)) << blob;
  }

  std::shared_ptr<JoiningStorage> joining_ = std::make_shared<JoiningStorage>(shared());
};

TEST_F(PruneByJoining, SendsTheHeaderOfAPackAlone) {
  fill_halves();
  EXPECT_OK(prune_at(joining_));
  expect_pruned();
  const auto figures = joining_->figures();
  EXPECT_THAT(figures.joined, ElementsAre(pack_of(1)));
  EXPECT_EQ(pack_of(8), pack_of(1));
  EXPECT_EQ(figures.ranges, 3U) << "1 and 2 are neighbours";
  EXPECT_THAT(figures.sent_bytes, Le(4 * 41U + 36U));
}

TEST_F(PruneByJoining, ReadsAndWritesWhereThatIsNotPossibleAndAsksNoMore) {
  fill_halves();
  options_.writer.pack_bytes = 1;
  options_.bulk.threads = 1;
  joining_->fail_with(ErrorKind::kUnsupported);
  EXPECT_OK(prune_at(joining_));
  expect_pruned();
  EXPECT_EQ(joining_->figures().asked, 1U);
}

TEST_F(PruneByJoining, ReadsAndWritesThePackAfterAFailureAndGoesOnAsking) {
  fill_halves();
  options_.writer.pack_bytes = 1;
  options_.bulk.threads = 1;
  for (const ErrorKind kind :
       {ErrorKind::kUnavailable, ErrorKind::kCorrupt, ErrorKind::kNotFound}) {
    joining_ = std::make_shared<JoiningStorage>(shared());
    joining_->fail_with(kind);
    EXPECT_OK(prune_at(joining_));
    expect_pruned();
    EXPECT_EQ(joining_->figures().asked, kind == ErrorKind::kUnavailable ? 4U : 0U)
        << "there is nothing left to repack";
  }
}

// Whatever arrives instead of what was to be copied.
TEST_F(PruneByJoining, BelievesNothingThatItHasNotReadItself) {
  for (const auto& spoil : std::vector<JoiningStorage::Spoil>{
           [](std::string& content) { content[100] ^= 1; },                   // in a blob
           [](std::string& content) { content[content.size() - 50] ^= 1; },   // in the header
           [](std::string& content) { content[content.size() - 1] ^= 1; },    // its length
           [](std::string& content) { content.resize(content.size() - 1); },  // cut short
           [](std::string& content) { content.clear(); },
           [](std::string& content) { std::ranges::fill(content, '\0'); }}) {
    const std::map<FileName, std::string> before = all();
    fill_halves();
    joining_->spoil(spoil);
    EXPECT_OK(prune_at(joining_));
    expect_pruned();
    EXPECT_EQ(joining_->figures().asked, 1U);
    EXPECT_THAT(joining_->figures().joined, IsEmpty());
    joining_ = std::make_shared<JoiningStorage>(shared());
    for (const auto& [file, content] : all()) memory_.remove(file);
    for (const auto& [file, content] : before) {
      ASSERT_OK(memory_.storage().write(file, as_bytes(content), soon()));
    }
  }
}

TEST_F(PruneByJoining, DamageIsNotCarriedIntoANewPack) {
  fill_halves();
  const auto place = value_of(memory_.open()->find_blob(BlobType::kData, ids_.at(1)));
  const FileName pack = pack_of(1);
  std::string content(as_text(value_of(memory_.storage().read_all(pack, soon()))));
  content[place.offset + 100] ^= 1;
  ASSERT_OK(memory_.storage().write(pack, as_bytes(content), soon()));
  const Status pruned = prune_at(joining_);
  ASSERT_THAT(pruned, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(pruned.error().message(), HasSubstr("cannot copy a blob that is in use"));
  EXPECT_THAT(joining_->figures().joined, IsEmpty());
  EXPECT_TRUE(has(1));
}

TEST_F(PruneByJoining, WhatHasToBeCompressedIsReadAndWritten) {
  const BlobId data = memory_.builder().add_data(std::string(5000, 'x'));
  const BlobId tree = memory_.builder().add_tree({file_node("f", {data}, 5000)});
  memory_.builder().finish();
  add_snapshot(tree);
  options_.rules.repack_uncompressed = true;
  EXPECT_OK(prune_at(joining_));
  EXPECT_EQ(damage_of(shared()), "");
  EXPECT_EQ(joining_->figures().asked, 0U);
  EXPECT_NE(value_of(memory_.open()->find_blob(BlobType::kData, data)).raw_length, 0);
}

// A pack that no index can name is as good as none.
TEST_F(PruneByJoining, AnIndexThatCannotBeWrittenEndsIt) {
  fill_halves();
  memory_.storage().watch_writes([](const FileName& file) -> Status {
    if (file.type != FileType::kIndex) return {};
    return Error(ErrorKind::kDenied, "no index");
  });
  EXPECT_THAT(prune_at(joining_), FailsWith(ErrorKind::kDenied));
  EXPECT_TRUE(has(1));
  EXPECT_THAT(said_.begun, SizeIs(1)) << "the copies";
}

TEST_F(PruneByJoining, ADiskThatIsFullIsNamedByTheWriteThatFollows) {
  fill_halves();
  options_.keep_free_bytes = 0;
  memory_.leave_free(100);
  const Status pruned = prune_at(joining_);
  ASSERT_THAT(pruned, FailsWith(ErrorKind::kLocalIo));
  EXPECT_THAT(pruned.error().message(), HasSubstr("no space left"));
  EXPECT_EQ(damage_of(shared()), "");
}

}  // namespace
}  // namespace restree::testing
