#include "repo/pruner/index_files.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "repo/format/index_file.h"
#include "tests/index/numbered_ids.h"
#include "tests/support/matchers.h"
#include "tests/support/split_mix.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using testing::value_of;

constexpr std::size_t kFull = 50'000;

// Hundreds of thousands are made.
BlobId numbered(std::uint64_t number) {
  BlobId id;
  testing::SplitMix64 next(number);
  const std::uint64_t word = next();
  std::memcpy(id.bytes.data(), &word, sizeof word);
  return id;
}

// Index files by their names, as they were read.
class RewrittenIndex : public ::testing::Test {
 protected:
  // `blobs` of pack `number`, from the blob `first` of it on.
  void file(const std::string& name, std::uint64_t number, std::size_t blobs,
            std::uint32_t first = 0) {
    std::vector<IndexedBlob> indexed;
    for (std::uint32_t i = first; i < first + blobs; ++i) {
      indexed.push_back({numbered(number * 1'000'000 + i), BlobType::kData, i * 100, 100, 200});
    }
    files_.pack(name, pack_id(number), indexed);
    builder_.add(pack_id(number), indexed);
  }
  std::vector<bool> stays_without(const std::vector<std::uint64_t>& packs) {
    index_ = std::move(builder_).build(1);
    std::vector<bool> stays(index_->pack_count());
    for (std::size_t i = 0; i < stays.size(); ++i) {
      stays[i] = std::ranges::none_of(
          packs, [&](std::uint64_t number) { return pack_id(number) == index_->packs()[i]; });
    }
    return stays;
  }
  IndexRewrite without(const std::vector<std::uint64_t>& packs) {
    const std::vector<bool> stays = stays_without(packs);
    return plan_index_rewrite(value_of(files_.take()), index_, stays);
  }
  std::vector<IndexRewrite> steps_without(const std::vector<std::uint64_t>& packs) {
    const std::vector<bool> stays = stays_without(packs);
    return plan_index_steps(value_of(files_.take()), index_, stays);
  }
  std::vector<PackId> packs_of(const IndexRewrite& rewrite) const {
    std::vector<PackId> packs;
    for (const std::uint32_t number : rewrite.packs) packs.push_back(index_->packs()[number]);
    return packs;
  }
  // How many blobs of each pack each new file has.
  std::vector<std::map<PackId, std::size_t>> written(const IndexRewrite& rewrite) const {
    std::vector<std::map<PackId, std::size_t>> files;
    EXPECT_OK(write_packs(index_, rewrite.packs, [&](const std::string& json) -> Status {
      auto& packs = files.emplace_back();
      return parse_index_file(as_bytes(json),
                              [&](const PackId& pack, auto blobs) { packs[pack] += blobs.size(); });
    }));
    return files;
  }

  const IndexFileContents none_;
  IndexFiles files_{none_};
  IndexBuilder builder_;
  std::shared_ptr<const Index> index_;
};

TEST_F(RewrittenIndex, ReplacesTheFilesThatNameAPackThatGoes) {
  file("a", 1, kFull);
  file("a", 2, 1);
  file("b", 3, kFull);
  const IndexRewrite rewrite = without({2});
  EXPECT_THAT(rewrite.files, ElementsAre("a"));
  EXPECT_THAT(packs_of(rewrite), ElementsAre(pack_id(1)));
}

TEST_F(RewrittenIndex, PutsFilesTogetherThatAreNotFull) {
  file("a", 1, kFull);
  file("a", 2, 1);
  file("b", 3, 10);
  file("c", 4, 10);
  const IndexRewrite rewrite = without({2});
  EXPECT_THAT(rewrite.files, ElementsAre("a", "b", "c"));
  EXPECT_THAT(packs_of(rewrite), UnorderedElementsAre(pack_id(1), pack_id(3), pack_id(4)));
}

TEST_F(RewrittenIndex, TakesAFileApartThatIsTooLarge) {
  file("a", 1, 400'000);
  file("a", 2, 59'199);
  file("b", 3, 400'000);
  file("b", 4, 59'198);
  EXPECT_THAT(without({}).files, ElementsAre("a"));
}

TEST_F(RewrittenIndex, NamesAPackOnceThatSeveralFilesName) {
  file("a", 1, kFull);
  file("b", 1, kFull);
  file("c", 2, kFull);
  const IndexRewrite rewrite = without({});
  EXPECT_THAT(rewrite.files, ElementsAre("a", "b"));
  EXPECT_THAT(written(rewrite), ElementsAre(std::map<PackId, std::size_t>{{pack_id(1), kFull}}));
}

// As restic wrote them before it had format 2. Where half of the pack is taken for all of it, the
// other half is lost.
TEST_F(RewrittenIndex, HasAllBlobsOfAPackThatIsSplitOverSeveralFiles) {
  file("a", 1, kFull);
  file("b", 1, kFull, kFull);
  file("b", 2, 1);
  const IndexRewrite rewrite = without({2});
  EXPECT_THAT(rewrite.files, ElementsAre("a", "b"));
  EXPECT_THAT(written(rewrite),
              ElementsAre(std::map<PackId, std::size_t>{{pack_id(1), 2 * kFull}}));
}

TEST_F(RewrittenIndex, BeginsANewFileOnceOneIsFull) {
  for (std::uint64_t number = 1; number <= 6; ++number) {
    file(std::to_string(number), number, kFull / 2);
  }
  const auto files = written(without({}));
  ASSERT_EQ(files.size(), 3);
  for (const auto& packs : files) EXPECT_EQ(packs.size(), 2);
}

TEST_F(RewrittenIndex, OfNothingIsNoFile) {
  file("a", 1, 5);
  const IndexRewrite rewrite = without({1});
  EXPECT_THAT(rewrite.files, ElementsAre("a"));
  EXPECT_THAT(written(rewrite), IsEmpty());
}

TEST_F(RewrittenIndex, DropsPacksWithoutBlobs) {
  files_.pack("a", pack_id(9), {});
  file("a", 1, 5);
  const IndexRewrite rewrite = without({});
  EXPECT_THAT(written(rewrite), ElementsAre(std::map<PackId, std::size_t>{{pack_id(1), 5}}));
}

// --- file by file ---------------------------------------------------------------------------------

TEST_F(RewrittenIndex, InStepsReplacesOnlyFilesThatNameAPackThatGoesEachByItself) {
  file("a", 1, kFull);
  file("a", 2, 1);
  file("b", 3, 10);
  file("c", 4, 10);
  file("c", 5, 10);
  const std::vector<IndexRewrite> steps = steps_without({2, 5});
  ASSERT_EQ(steps.size(), 2);
  EXPECT_THAT(steps[0].files, ElementsAre("a"));
  EXPECT_THAT(packs_of(steps[0]), ElementsAre(pack_id(1)));
  EXPECT_THAT(steps[1].files, ElementsAre("c"));
  EXPECT_THAT(packs_of(steps[1]), ElementsAre(pack_id(4)));
}

TEST_F(RewrittenIndex, HasNoStepsIfNoPackGoes) {
  file("a", 1, 5);
  EXPECT_THAT(steps_without({}), IsEmpty());
}

TEST_F(RewrittenIndex, InStepsLosesNoBlobOfAPackThatIsSplitOverSeveralFiles) {
  file("a", 1, kFull);
  file("b", 1, kFull, kFull);
  file("b", 2, 1);
  const std::vector<IndexRewrite> steps = steps_without({2});
  ASSERT_EQ(steps.size(), 1);
  EXPECT_THAT(steps[0].files, ElementsAre("b"));
  EXPECT_THAT(written(steps[0]),
              ElementsAre(std::map<PackId, std::size_t>{{pack_id(1), 2 * kFull}}));
}

TEST_F(RewrittenIndex, EndsWithTheFirstFileThatCannotBeSaved) {
  for (std::uint64_t number = 1; number <= 2; ++number) {
    file("a", number, kFull);
    file("b", number, kFull);
  }
  const std::vector<std::uint32_t> packs = without({}).packs;
  int saved = 0;
  const Status status = write_packs(index_, packs, [&](const std::string&) -> Status {
    ++saved;
    return Error(ErrorKind::kLocalIo, "the disk is full");
  });
  EXPECT_THAT(status, FailsWith(ErrorKind::kLocalIo));
  EXPECT_EQ(saved, 1);
}

TEST_F(RewrittenIndex, IsRefusedWhileAFileIsDamaged) {
  file("a", 1, 5);
  files_.damaged("b", Error(ErrorKind::kCorrupt, "index/b is damaged"));
  const auto files = files_.take();
  ASSERT_THAT(files, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(files.error().message(), HasSubstr("index/b is damaged"));
  EXPECT_THAT(files.error().hint(), HasSubstr("restree repair index"));
}

}  // namespace
}  // namespace restree
