#include "repo/repairer/pack_repair.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "repo/crypto/sha256.h"
#include "repo/repairer/pack_copy.h"
#include "repo/writer/repository_writer.h"
#include "tests/support/files.h"
#include "tests/support/memory_blobs.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MemoryRepository;
using ::testing::Not;
using testing::random_bytes;
using testing::read_file;
using ::testing::SizeIs;
using testing::soon;
using testing::TempDir;
using testing::value_of;

constexpr std::size_t kBlobBytes = 5000;

class PackRepairTest : public ::testing::Test {
 protected:
  // Stores blobs in packs of `blobs_in_pack`, and an index of these.
  std::vector<BlobId> store(unsigned first, unsigned count, std::size_t blobs_in_pack,
                            bool even_if_known = false) {
    const auto repository = memory_.open();
    RepositoryWriter writer(*repository, {.pack_bytes = blobs_in_pack * kBlobBytes}, {});
    std::vector<BlobId> ids;
    for (unsigned i = first; i < first + count; ++i) {
      const std::string content = random_bytes(i, kBlobBytes);
      const BlobId id = blob_id(content);
      if (even_if_known) {
        EXPECT_OK(writer.save_again(BlobType::kData, id, as_bytes(content)));
      } else {
        EXPECT_OK(writer.save(BlobType::kData, as_bytes(content)));
      }
      ids.push_back(id);
    }
    EXPECT_OK(writer.flush());
    return ids;
  }
  static BlobId blob_id(const std::string& content) { return BlobId{sha256(as_bytes(content))}; }
  PackId pack_of(const BlobId& id) {
    return memory_.open()->find_blob(BlobType::kData, id).value().pack;
  }
  static FileName file_of(const PackId& pack) { return {FileType::kPack, pack.hex()}; }
  std::vector<std::string> names(FileType type) {
    std::vector<std::string> names;
    for (const ListedFile& file : value_of(memory_.storage().list(type, soon()))) {
      names.push_back(file.name);
    }
    return names;
  }
  // Overwrites bytes of the blob in the pack where the index has it.
  void damage(const BlobId& id) {
    const BlobLocation place = memory_.open()->find_blob(BlobType::kData, id).value();
    overwrite(place.pack, place.offset + 100);
  }
  void overwrite(const PackId& pack, std::uint64_t at) {
    std::string content(as_text(value_of(memory_.storage().read_all(file_of(pack), soon()))));
    content[at] = static_cast<char>(content[at] ^ 1);
    ASSERT_OK(memory_.storage().write(file_of(pack), as_bytes(content), soon()));
  }
  void cut(const PackId& pack, std::size_t length) {
    const Bytes content = value_of(memory_.storage().read_all(file_of(pack), soon()));
    ASSERT_OK(memory_.storage().write(file_of(pack), content.view().first(length), soon()));
  }
  bool loads(const BlobId& id) {
    return memory_.open()->load(BlobType::kData, id, soon()).has_value();
  }
  bool is_indexed(const BlobId& id) {
    return memory_.open()->find_blob(BlobType::kData, id).has_value();
  }

  Result<PackRepair> try_repair(const std::set<PackId>& packs) {
    const auto repository = memory_.open();
    PackRepairOptions options = options_;
    options.folder = folder_.path();
    options.on_lost = [this](const BlobId& id, const Error&) { lost_.push_back(id); };
    options.on_incomplete_index = [this](const PackId& id) { incomplete_.push_back(id); };
    options.on_empty = [this](const PackId& id) { empty_.push_back(id); };
    options.on_not_removed = [this](const PackId& id, const Error&) { kept_.push_back(id); };
    options.on_unread = [this](const PackId&, std::uint64_t bytes, const Error&) {
      unread_ += bytes;
    };
    return repair_packs(*repository, packs, options);
  }
  PackRepair repair(const std::set<PackId>& packs) { return value_of(try_repair(packs)); }
  // As it was saved before the pack was removed.
  std::string copy_of(const PackId& pack) {
    return read_file(pack_copy_path(folder_.path(), pack));
  }

  MemoryRepository memory_{2};
  TempDir folder_;
  PackRepairOptions options_{.patience = std::chrono::seconds(60)};
  std::vector<BlobId> lost_;
  std::vector<PackId> incomplete_;
  std::vector<PackId> empty_;
  std::vector<PackId> kept_;
  std::uint64_t unread_ = 0;
};

TEST_F(PackRepairTest, SavesTheBlobsThatAreWholeAndRemovesThePack) {
  const auto ids = store(0, 4, 4);
  const auto others = store(4, 2, 1);
  const PackId pack = pack_of(ids[0]);
  damage(ids[2]);
  const PackRepair done = repair({pack});
  EXPECT_EQ(done.blobs_saved, 3U);
  EXPECT_EQ(done.blobs_lost, 1U);
  EXPECT_THAT(lost_, ElementsAre(ids[2]));
  EXPECT_THAT(names(FileType::kPack), Not(Contains(pack.hex())));
  for (const unsigned i : {0U, 1U, 3U}) EXPECT_TRUE(loads(ids[i]));
  EXPECT_FALSE(is_indexed(ids[2]));
  for (const BlobId& id : others) EXPECT_TRUE(loads(id));
}

TEST_F(PackRepairTest, ACopyOfThePackAsItWasIsThereAfterwards) {
  const auto ids = store(0, 2, 2);
  const PackId pack = pack_of(ids[0]);
  damage(ids[1]);
  const Bytes before = value_of(memory_.storage().read_all(file_of(pack), soon()));
  repair({pack});
  EXPECT_EQ(copy_of(pack), as_text(before));
}

TEST_F(PackRepairTest, TakesFromASecondRepositoryWhatIsWholeThere) {
  const auto ids = store(0, 3, 3);
  testing::MemoryBlobs second;
  second.add(random_bytes(1, kBlobBytes));
  damage(ids[1]);
  damage(ids[2]);
  options_.second = &second;
  const PackRepair done = repair({pack_of(ids[0])});
  EXPECT_EQ(done.blobs_saved, 2U);
  EXPECT_EQ(done.blobs_retrieved, 1U);
  EXPECT_THAT(lost_, ElementsAre(ids[2]));
  EXPECT_TRUE(loads(ids[1]));
}

TEST_F(PackRepairTest, TemporaryCopiesLeaveNoFile) {
  const auto ids = store(0, 2, 2);
  damage(ids[1]);
  options_.copies_are_temporary = true;
  EXPECT_EQ(repair({pack_of(ids[0])}).blobs_saved, 1U);
  EXPECT_TRUE(loads(ids[0]));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(PackRepairTest, NothingIsChangedIfAFileIsInThePlaceOfTheCopy) {
  const auto ids = store(0, 2, 2);
  const PackId pack = pack_of(ids[0]);
  testing::write_file(pack_copy_path(folder_.path(), pack), "kept");
  EXPECT_THAT(try_repair({pack}), FailsWith(ErrorKind::kInvalid));
  EXPECT_EQ(copy_of(pack), "kept");
  EXPECT_TRUE(loads(ids[0]));
  EXPECT_THAT(names(FileType::kPack), ElementsAre(pack.hex()));
}

TEST_F(PackRepairTest, NoCopyIsMadeOfAnyIfOneOfThemIsMissing) {
  const auto ids = store(0, 2, 1);
  memory_.remove(file_of(pack_of(ids[1])));
  const auto done = try_repair({pack_of(ids[0]), pack_of(ids[1])});
  ASSERT_THAT(done, FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(done.error().hint(), HasSubstr("restree repair index"));
  EXPECT_THAT(testing::names_in(folder_.path()), IsEmpty());
}

TEST_F(PackRepairTest, ABlobThatAnotherPackHoldsIsNotLost) {
  const auto ids = store(0, 2, 2);
  const PackId pack = pack_of(ids[0]);
  damage(ids[0]);
  store(0, 1, 1, true);
  EXPECT_EQ(repair({pack}).blobs_lost, 0U);
  EXPECT_TRUE(loads(ids[0]));
  EXPECT_TRUE(loads(ids[1]));
}

// Neither pack is whole, and each has what the other lacks.
TEST_F(PackRepairTest, TwoDamagedPacksMakeUpForEachOther) {
  const auto ids = store(0, 2, 2);
  const PackId first = pack_of(ids[0]);
  damage(ids[0]);
  store(0, 2, 2, true);
  const auto packs = names(FileType::kPack);
  ASSERT_THAT(packs, SizeIs(2));
  const PackId second = *PackId::parse(packs[0] == first.hex() ? packs[1] : packs[0]);
  for (const BlobLocation& place : memory_.open()->find_blobs(BlobType::kData, ids[1])) {
    if (place.pack == second) overwrite(second, place.offset + 100);
  }
  const PackRepair done = repair({first, second});
  EXPECT_EQ(done.blobs_saved, 2U);
  EXPECT_THAT(lost_, IsEmpty());
  for (const BlobId& id : ids) EXPECT_TRUE(loads(id));
  EXPECT_THAT(names(FileType::kPack), SizeIs(1));
}

TEST_F(PackRepairTest, WhatOnlyTheHeaderNamesIsSavedToo) {
  const auto ids = store(0, 2, 2);
  const PackId pack = pack_of(ids[0]);
  for (const std::string& name : names(FileType::kIndex)) memory_.remove({FileType::kIndex, name});
  repair({pack});
  EXPECT_THAT(incomplete_, ElementsAre(pack));
  for (const BlobId& id : ids) EXPECT_TRUE(loads(id));
}

TEST_F(PackRepairTest, OfAPackWithoutItsHeaderTheIndexKnowsTheBlobs) {
  const auto ids = store(0, 3, 3);
  const PackId pack = pack_of(ids[0]);
  cut(pack, 2 * kBlobBytes + 200);
  EXPECT_EQ(repair({pack}).blobs_saved, 2U);
  EXPECT_THAT(lost_, SizeIs(1));
  EXPECT_THAT(incomplete_, IsEmpty());
}

TEST_F(PackRepairTest, AnEmptyPackIsRemovedAndAllOfItIsLost) {
  const auto ids = store(0, 2, 2);
  const PackId pack = pack_of(ids[0]);
  cut(pack, 0);
  EXPECT_EQ(repair({pack}).blobs_lost, 2U);
  EXPECT_THAT(names(FileType::kPack), IsEmpty());
  EXPECT_EQ(copy_of(pack), "");
}

TEST_F(PackRepairTest, APackOfWhichNothingIsKnownIsNamedAndRemoved) {
  const auto ids = store(0, 2, 2);
  const PackId pack = pack_of(ids[0]);
  for (const std::string& name : names(FileType::kIndex)) memory_.remove({FileType::kIndex, name});
  cut(pack, kBlobBytes);
  const PackRepair done = repair({pack});
  EXPECT_EQ(done.blobs_saved + done.blobs_lost, 0U);
  EXPECT_THAT(empty_, ElementsAre(pack));
  EXPECT_THAT(names(FileType::kPack), IsEmpty());
}

// A disk that has lost some of its blocks.
TEST_F(PackRepairTest, ThePartsThatCanBeReadAreCopied) {
  const auto ids = store(0, 8, 8);
  const PackId pack = pack_of(ids[0]);
  memory_.storage().watch_ranges([](const FileName& file, ByteRange range) -> Status {
    if (file.type != FileType::kPack || range.offset >= 4096) return {};
    return Error(ErrorKind::kCorrupt, "a broken place on the disk");
  });
  const PackRepair done = repair({pack});
  EXPECT_EQ(unread_, 4096U);
  EXPECT_EQ(done.blobs_lost, 1U);
  EXPECT_EQ(done.blobs_saved, 7U);
}

TEST_F(PackRepairTest, ADamagedIndexFileIsToBeRepairedFirst) {
  const auto ids = store(0, 1, 1);
  const PackId pack = pack_of(ids[0]);
  store(1, 1, 1);
  for (const std::string& name : names(FileType::kIndex)) {
    memory_.damage({FileType::kIndex, name});
    break;
  }
  const auto done = try_repair({pack});
  ASSERT_THAT(done, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(done.error().hint(), HasSubstr("restree repair index"));
  EXPECT_THAT(names(FileType::kPack), SizeIs(2));
  EXPECT_THAT(testing::names_in(folder_.path()), IsEmpty());
}

TEST_F(PackRepairTest, APackThatCannotBeRemovedIsNamedAndNoLongerIndexed) {
  const auto ids = store(0, 2, 2);
  const PackId pack = pack_of(ids[0]);
  memory_.storage().watch_removals([](const FileName& file) -> Status {
    if (file.type != FileType::kPack) return {};
    return Error(ErrorKind::kDenied, "no");
  });
  repair({pack});
  EXPECT_THAT(kept_, ElementsAre(pack));
  EXPECT_NE(pack_of(ids[0]), pack);
}

// Whatever write or removal fails: what could be read before can be read then, and the next run ends it.
TEST_F(PackRepairTest, AFailureAtAnyPointLosesNothing) {
  for (int last = 0; last < 20; ++last) {
    MemoryRepository fresh{2};
    std::swap(memory_, fresh);
    const auto ids = store(0, 4, 2);
    const PackId pack = pack_of(ids[0]);
    damage(ids[1]);
    int changes = 0;
    const auto fail = [&](const FileName&) -> Status {
      if (changes++ < last) return {};
      return Error(ErrorKind::kUnavailable, "the line is cut");
    };
    memory_.storage().watch_writes(fail);
    memory_.storage().watch_removals(fail);
    const auto done = try_repair({pack});
    memory_.storage().watch_writes({});
    memory_.storage().watch_removals({});
    std::filesystem::remove(pack_copy_path(folder_.path(), pack));
    for (const unsigned i : {0U, 2U, 3U}) EXPECT_TRUE(loads(ids[i])) << last;
    if (done && kept_.empty()) {
      EXPECT_GT(last, 3);
      return;
    }
    kept_.clear();
    EXPECT_TRUE(try_repair({pack}));
    std::filesystem::remove(pack_copy_path(folder_.path(), pack));
    for (const unsigned i : {0U, 2U, 3U}) EXPECT_TRUE(loads(ids[i])) << last;
    EXPECT_FALSE(is_indexed(ids[1]));
    EXPECT_THAT(names(FileType::kPack), Not(Contains(pack.hex())));
  }
  FAIL() << "it never came to its end";
}

}  // namespace
}  // namespace restree
