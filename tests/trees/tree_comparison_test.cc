#include "repo/trees/tree_comparison.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::value_of;

// The changes that `change` names, each by a letter or sign of its own.
std::string letters(const EntryChange& change) {
  std::string text;
  if (change.added) text += '+';
  if (change.removed) text += '-';
  if (change.type) text += 'T';
  if (change.content) text += 'C';
  if (change.content_alone) text += '!';
  if (change.metadata) text += 'M';
  return text;
}

class TreeComparisonTest : public ::testing::Test {
 protected:
  // Remembers what is reported in changes_, damaged_ and unknown_.
  Result<ComparisonFigures> try_compare(const BlobId& before, const BlobId& after,
                                        Metadata metadata = Metadata::kIgnored,
                                        std::stop_token stop = {}) {
    builder_.finish();
    const auto repository = memory_.open();
    return compare_trees(
        *repository, before, after, metadata,
        {.patience = std::chrono::seconds(60), .stop = std::move(stop)},
        {.change =
             [this](const std::string& path, const EntryChange& change) {
               changes_.push_back(letters(change) + " " + path);
             },
         .damaged = [this](const Error& why) { damaged_.push_back(why.message()); },
         .unknown_size = [this](BlobType, const BlobId& id) { unknown_.push_back(id); }});
  }
  ComparisonFigures compare(const BlobId& before, const BlobId& after,
                            Metadata metadata = Metadata::kIgnored) {
    return value_of(try_compare(before, after, metadata));
  }
  BlobId tree(const std::vector<std::string>& nodes) { return builder_.add_tree(nodes); }
  std::uint32_t tree_size(const BlobId& id) {
    return memory_.open()->blob_size(BlobType::kTree, id).value();
  }
  BlobId data(const std::string& content) { return builder_.add_data(content); }

  testing::MemoryRepository memory_;
  testing::RepositoryBuilder& builder_ = memory_.builder();
  std::vector<std::string> changes_;
  std::vector<std::string> damaged_;
  std::vector<BlobId> unknown_;
};

TEST_F(TreeComparisonTest, FindsNothingInATreeAndItself) {
  const BlobId root = tree({folder_node("d", tree({file_node("f", {data("x")}, 1)}))});
  const ComparisonFigures figures = compare(root, root, Metadata::kCompared);
  EXPECT_THAT(changes_, IsEmpty());
  EXPECT_EQ(figures.added.tree_blobs + figures.removed.tree_blobs, 0U);
}

TEST_F(TreeComparisonTest, ReportsEverythingInAFolderThatOnlyOneSideHas) {
  const BlobId inner = tree({file_node("f", {data("12345")}, 5)});
  const BlobId empty = tree({});
  const BlobId full = tree({folder_node("d", inner), file_node("z", {}, 0)});
  const ComparisonFigures figures = compare(empty, full);
  EXPECT_THAT(changes_, ElementsAre("+ /d/", "+ /d/f", "+ /z"));
  EXPECT_EQ(figures.added.files, 2U);
  EXPECT_EQ(figures.added.dirs, 1U);
  EXPECT_EQ(figures.added.data_blobs, 1U);
  EXPECT_EQ(figures.added.tree_blobs, 2U) << "the root and d";
  EXPECT_EQ(figures.removed.tree_blobs, 1U) << "the empty root";

  changes_.clear();
  const ComparisonFigures back = compare(full, empty);
  EXPECT_THAT(changes_, ElementsAre("- /d/", "- /d/f", "- /z"));
  EXPECT_EQ(back.removed.files, 2U);
  EXPECT_EQ(back.removed.bytes, figures.added.bytes);
}

TEST_F(TreeComparisonTest, TellsContentTypeAndBitRotApart) {
  const BlobId one = data("one");
  const BlobId other = data("other");
  const BlobId empty = tree({});
  const BlobId before = tree({file_node("bitrot", {one}, 3), file_node("content", {one}, 3),
                              file_node("same", {one}, 3), file_node("type", {one}, 3)});
  const BlobId after = tree({file_node("bitrot", {other}, 3), file_node("content", {other}, 5),
                             file_node("same", {one}, 3), folder_node("type", empty)});
  const ComparisonFigures figures = compare(before, after);
  EXPECT_THAT(changes_, ElementsAre("C! /bitrot", "C /content", "T /type/"));
  EXPECT_EQ(figures.changed_files, 2U);
  EXPECT_EQ(figures.added.data_blobs, 1U);
  EXPECT_EQ(figures.added.bytes, 5U + tree_size(after) + tree_size(empty));
  EXPECT_EQ(figures.removed.data_blobs, 0U) << "\"one\" is still used";
}

TEST_F(TreeComparisonTest, LooksAtMetadataOnlyIfItIsWanted) {
  const BlobId before = tree({file_node("f", {}, 0, ",\"mode\":420")});
  const BlobId after = tree({file_node("f", {}, 0, ",\"mode\":384")});
  compare(before, after);
  EXPECT_THAT(changes_, IsEmpty());
  compare(before, after, Metadata::kCompared);
  EXPECT_THAT(changes_, ElementsAre("M /f"));
}

TEST_F(TreeComparisonTest, DoesNotCountBlobsOfFoldersThatBothSidesHave) {
  const BlobId x = data("x");
  const BlobId common = tree({file_node("x", {x}, 1)});
  const BlobId before = tree({folder_node("c", common)});
  const BlobId after = tree({folder_node("c", common), file_node("copy", {x}, 1)});
  const ComparisonFigures figures = compare(before, after);
  EXPECT_THAT(changes_, ElementsAre("+ /copy"));
  EXPECT_EQ(figures.added.data_blobs, 0U);
}

TEST_F(TreeComparisonTest, GoesOnBehindADamagedFolderAndReportsIt) {
  const BlobId lost = tree({file_node("f", {}, 0)});
  const BlobId before = tree({});
  const BlobId after = tree({folder_node("d", lost), file_node("z", {}, 0)});
  builder_.finish();
  memory_.damage(builder_.pack_names_of(lost)[0]);
  compare(before, after);
  EXPECT_THAT(changes_, ElementsAre("+ /d/", "+ /z"));
  EXPECT_THAT(damaged_, ElementsAre(HasSubstr(lost.hex())));
}

TEST_F(TreeComparisonTest, EndsAtADamagedFolderIfNobodyListensForOne) {
  const BlobId lost = tree({file_node("f", {}, 0)});
  const BlobId before = tree({});
  const BlobId after = tree({folder_node("d", tree({folder_node("e", lost)}))});
  builder_.finish();
  memory_.damage(builder_.pack_names_of(lost)[0]);
  const auto repository = memory_.open();
  EXPECT_THAT(compare_trees(*repository, before, after, Metadata::kIgnored,
                            {.patience = std::chrono::seconds(60)}, {}),
              FailsWith(ErrorKind::kCorrupt));
}

TEST_F(TreeComparisonTest, FailsIfARootIsDamaged) {
  const BlobId before = tree({});
  const BlobId after = tree({file_node("f", {}, 0)});
  builder_.finish();
  memory_.damage(builder_.pack_names_of(after)[0]);
  EXPECT_THAT(try_compare(before, after), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(TreeComparisonTest, ReportsABlobWhoseSizeNoIndexKnows) {
  const BlobId nowhere = BlobId::parse(std::string(64, 'a')).value();
  const ComparisonFigures figures = compare(tree({}), tree({file_node("f", {nowhere}, 9)}));
  EXPECT_THAT(unknown_, ElementsAre(nowhere));
  EXPECT_EQ(figures.added.data_blobs, 1U);
}

TEST_F(TreeComparisonTest, EndsWhenAStopIsRequested) {
  std::stop_source stop;
  stop.request_stop();
  const BlobId root = tree({});
  EXPECT_THAT(try_compare(root, root, Metadata::kIgnored, stop.get_token()),
              FailsWith(ErrorKind::kCancelled));
}

}  // namespace
}  // namespace restree
