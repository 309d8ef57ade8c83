// The findings of a check in repositories that the tests damage.
#include "repo/checker/checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/memory_repository.h"

namespace restree::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Listener final : public CheckListener {
 public:
  void error(const std::string& text) override { errors.push_back(text); }
  void hint(const std::string& text) override { hints.push_back(text); }
  void detail(const std::string&) override {}
  std::vector<std::string> errors;
  std::vector<std::string> hints;
};

// Fills most of its pack, so that damage() hits this blob.
const std::string kLong(500, 'L');

class CheckerTest : public ::testing::Test {
 protected:
  RepositoryBuilder& builder() { return repository_.builder(); }
  // A repository of one file in one folder.
  void build() {
    content_ = builder().add_data(kLong);
    folder_ = builder().add_tree({file_node("f", {content_}, kLong.size())});
    root_ = builder().add_tree({folder_node("d", folder_)});
    builder().finish();
  }
  void check(bool read_data = false) {
    opened_ = value_of(repository_.try_open());
    checker_ = std::make_unique<Checker>(*opened_, listener_, BulkOptions());
    ASSERT_OK(checker_->load_index());
    ASSERT_OK(checker_->check_packs());
    ASSERT_OK(checker_->check_trees({root_}, false));
    if (read_data) ASSERT_OK(checker_->read_packs(checker_->choose({})));
  }
  PackId pack_of(const BlobId& id) {
    return PackId::parse(builder().pack_names_of(id).at(0).name).value();
  }
  const CheckFindings& findings() const { return checker_->findings(); }

  MemoryRepository repository_{2};
  Listener listener_;
  BlobId content_;
  BlobId folder_;
  BlobId root_;
  std::unique_ptr<Repository> opened_;
  std::unique_ptr<Checker> checker_;
};

TEST_F(CheckerTest, ASoundRepositoryHasNoFindings) {
  build();
  check(true);
  EXPECT_THAT(listener_.errors, IsEmpty());
  EXPECT_THAT(listener_.hints, IsEmpty());
  EXPECT_FALSE(findings().damaged);
  EXPECT_EQ(checker_->packs_read(), 3U);
}

TEST_F(CheckerTest, AnEmptyRepositoryIsWell) {
  opened_ = value_of(repository_.try_open());
  checker_ = std::make_unique<Checker>(*opened_, listener_, BulkOptions());
  ASSERT_OK(checker_->load_index());
  ASSERT_OK(checker_->check_packs());
  ASSERT_OK(checker_->check_trees({}, false));
  EXPECT_THAT(listener_.errors, IsEmpty());
}

TEST_F(CheckerTest, AMissingPackIsNamed) {
  build();
  repository_.remove_packs_of(content_);
  check();
  EXPECT_THAT(listener_.errors,
              ElementsAre(AllOf(HasSubstr(pack_of(content_).hex()), HasSubstr("does not exist"))));
  EXPECT_EQ(findings().missing_packs, 1U);
  EXPECT_THAT(findings().broken_packs, IsEmpty());
}

TEST_F(CheckerTest, APackOfTheWrongSizeIsNamed) {
  build();
  repository_.truncate(builder().pack_names_of(content_).at(0));
  check();
  EXPECT_THAT(listener_.errors, ElementsAre(HasSubstr("unexpected file size")));
  EXPECT_THAT(findings().broken_packs, ElementsAre(pack_of(content_)));
}

TEST_F(CheckerTest, AFlippedBitIsFoundByReadingAndNotBefore) {
  build();
  repository_.damage(builder().pack_names_of(content_).at(0));
  check();
  EXPECT_THAT(listener_.errors, IsEmpty());
  check(true);
  EXPECT_THAT(listener_.errors,
              ElementsAre(AllOf(HasSubstr(pack_of(content_).hex()), HasSubstr(content_.hex()),
                                HasSubstr("unexpected pack id"))));
}

TEST_F(CheckerTest, ADamagedTreeIsNamed) {
  build();
  repository_.damage(builder().pack_names_of(folder_).at(0));
  check();
  EXPECT_THAT(listener_.errors, ElementsAre(HasSubstr("error for tree " + folder_.short_hex())));
}

TEST_F(CheckerTest, ABlobInNoIndexIsReportedWithItsFile) {
  build();
  BlobId unknown;
  unknown.bytes.fill(std::byte{7});
  root_ = builder().add_tree({file_node("lost", {unknown}, 9)});
  builder().finish();
  check();
  EXPECT_THAT(listener_.errors, ElementsAre(AllOf(HasSubstr("lost"), HasSubstr(unknown.hex()),
                                                  HasSubstr("not found in index"))));
}

TEST_F(CheckerTest, AFolderWithoutATreeIsReported) {
  root_ = builder().add_tree(
      {R"({"name":"d","type":"dir","mtime":"2020-01-01T00:00:00Z","atime":"2020-01-01T00:00:00Z",)"
       R"("ctime":"2020-01-01T00:00:00Z","uid":0,"gid":0,"content":null})"});
  builder().finish();
  check();
  EXPECT_THAT(listener_.errors, ElementsAre(HasSubstr("has no subtree")));
}

TEST_F(CheckerTest, AnUnknownTreeIsReportedOnce) {
  BlobId unknown;
  unknown.bytes.fill(std::byte{7});
  root_ = builder().add_tree({folder_node("a", unknown), folder_node("b", unknown)});
  builder().finish();
  check();
  EXPECT_THAT(listener_.errors, SizeIs(1));
}

TEST_F(CheckerTest, ADamagedIndexFileIsAnErrorThatSuggestsItsRepair) {
  content_ = builder().add_data(kLong);
  root_ = builder().add_tree({file_node("f", {content_}, kLong.size())});
  const std::string index = builder().finish();
  repository_.damage({FileType::kIndex, index});
  opened_ = value_of(repository_.try_open());
  checker_ = std::make_unique<Checker>(*opened_, listener_, BulkOptions());
  ASSERT_OK(checker_->load_index());
  EXPECT_THAT(listener_.errors, ElementsAre(HasSubstr(index)));
  EXPECT_TRUE(findings().suggests_repair_index());
}

TEST_F(CheckerTest, APackInNoIndexIsNotDamage) {
  build();
  builder().add_data("nobody's");
  check(true);
  EXPECT_THAT(listener_.errors, IsEmpty());
  EXPECT_TRUE(findings().suggests_prune());
  EXPECT_EQ(findings().unindexed_packs, 1U);
}

TEST_F(CheckerTest, ABlobUnderAWrongIdIsFoundByReading) {
  build();
  BlobId wrong;
  wrong.bytes.fill(std::byte{9});
  builder().add_as(wrong, BlobType::kData, "not what hashes to that");
  builder().finish();
  check(true);
  EXPECT_THAT(listener_.errors, ElementsAre(HasSubstr(wrong.hex())));
}

TEST_F(CheckerTest, APackThatIsMissingIsNotReadAsWell) {
  build();
  repository_.remove_packs_of(content_);
  check(true);
  EXPECT_THAT(listener_.errors, SizeIs(1));
  EXPECT_THAT(findings().broken_packs, IsEmpty());
}

TEST_F(CheckerTest, ThePackOfATreeThatCannotBeReadIsNamedUnlessItIsMissing) {
  build();
  repository_.damage(builder().pack_names_of(folder_).at(0));
  check();
  EXPECT_THAT(findings().packs_of_unreadable_trees, ElementsAre(pack_of(folder_)));
  repository_.remove_packs_of(folder_);
  check();
  EXPECT_THAT(findings().packs_of_unreadable_trees, IsEmpty());
}

// The index has the place of another blob: what the pack's own header says still holds.
TEST_F(CheckerTest, ABlobThatTheIndexMisplacesIsNotLost) {
  build();
  const PackId pack = pack_of(content_);
  const std::string index =
      value_of(repository_.storage().list(FileType::kIndex, soon())).at(0).name;
  std::string json(as_text(value_of(
      value_of(repository_.try_open())->load_unpacked({FileType::kIndex, index}, soon()))));
  const auto at = json.find("\"offset\":0", json.find(content_.hex()));
  json.replace(at, 10, "\"offset\":1");
  repository_.remove({FileType::kIndex, index});
  builder().add_sealed(FileType::kIndex, json);
  check(true);
  EXPECT_THAT(findings().broken_packs, ElementsAre(pack));
  EXPECT_EQ(findings().misplaced_blobs, 1U);
  EXPECT_EQ(checker_->damage().lost_count(), 0U);
}

TEST_F(CheckerTest, OnlyThePacksOfTheSnapshotsThatAreCheckedAreRead) {
  build();
  builder().add_data("of another snapshot");
  builder().finish();
  opened_ = value_of(repository_.try_open());
  checker_ = std::make_unique<Checker>(*opened_, listener_, BulkOptions());
  ASSERT_OK(checker_->load_index());
  ASSERT_OK(checker_->check_trees({root_}, true));
  EXPECT_THAT(checker_->choose({}), SizeIs(3));
}

TEST_F(CheckerTest, WhatWasReadRightIsRememberedAndTheOldestIsReadFirst) {
  build();
  check(true);
  ReadTimes times = checker_->read_times();
  EXPECT_THAT(times, SizeIs(3));
  times[pack_of(root_)] = 10;
  times[PackId{}] = 5;  // of a pack that is gone
  times.erase(pack_of(content_));
  check();
  checker_->use_read_times(times);
  EXPECT_EQ(checker_->read_ages().never_read, 1U);
  EXPECT_EQ(checker_->read_ages().oldest, 10);
  const auto numbers =
      checker_->choose({.kind = PackSubset::Kind::kOldestTime, .time = std::chrono::hours(1)});
  const auto& packs = opened_->index_parts().front()->packs();
  ASSERT_THAT(numbers, SizeIs(3));
  EXPECT_EQ(packs[numbers[0]], pack_of(content_));
  EXPECT_EQ(packs[numbers[1]], pack_of(root_));
}

TEST_F(CheckerTest, APackThatIsDamagedWasNotReadRight) {
  build();
  check(true);
  const ReadTimes times = checker_->read_times();
  repository_.damage(builder().pack_names_of(content_).at(0));
  check();
  checker_->use_read_times(times);
  ASSERT_OK(checker_->read_packs(checker_->choose({})));
  EXPECT_THAT(checker_->read_times(), SizeIs(2));
  EXPECT_FALSE(checker_->read_times().contains(pack_of(content_)));
}

TEST_F(CheckerTest, AfterTheEndNoPackIsBegunButTheFirst) {
  build();
  check();
  ASSERT_OK(checker_->read_packs(checker_->choose({}), Deadline::after({})));
  EXPECT_EQ(checker_->packs_read(), 1U);
}

TEST_F(CheckerTest, TheGroupsTogetherAreAllPacks) {
  build();
  check();
  std::size_t sum = 0;
  for (std::uint32_t group = 1; group <= 3; ++group) {
    PackSubset subset{.kind = PackSubset::Kind::kGroup, .group = group, .groups = 3};
    sum += checker_->choose(subset).size();
  }
  EXPECT_EQ(sum, 3U);
}

}  // namespace
}  // namespace restree::testing
