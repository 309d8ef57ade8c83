#include "repo/trees/tree_search.h"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::value_of;

// The root has the folders a and b; a has f.txt and x, b has f.txt. Both f.txt have the same content.
class TreeSearchTest : public ::testing::Test {
 protected:
  TreeSearchTest() {
    testing::RepositoryBuilder& builder = memory_.builder();
    data_ = builder.add_data("content");
    a_ = builder.add_tree({file_node("f.txt", {data_}, 7), file_node("x", {}, 0)});
    b_ = builder.add_tree({file_node("f.txt", {data_, data_}, 14)});
    root_ = builder.add_tree({folder_node("a", a_), folder_node("b", b_)});
    builder.finish();
    repository_ = memory_.open();
  }

  TreesAheadOptions options(std::stop_token stop = {}) const {
    return {.patience = std::chrono::seconds(60), .stop = std::move(stop)};
  }
  // The paths that match; unreadable trees are remembered.
  std::vector<std::string> find(const std::string& pattern, TimeSpan modified = {}) {
    std::vector<std::string> paths;
    TreesAhead ahead(*repository_, options());
    EXPECT_OK(search_entries(
        ahead, root_, {.patterns = value_of(PathPatterns::parse({pattern})), .modified = modified},
        {.match = [&](const std::string& path, const Node&) { paths.push_back(path); },
         .unreadable = [&](const BlobId& id, const Error&) { unreadable_.push_back(id); }}));
    return paths;
  }
  ObjectSearch search_for(WantedObjects wanted) {
    return {std::move(wanted),
            {.blob =
                 [this](const BlobId& id, const std::string& path, const BlobId& parent) {
                   found_.push_back(id.short_hex() + " in " + path + " of " + parent.short_hex());
                 },
             .tree =
                 [this](const BlobId& id, const std::string& path) {
                   found_.push_back(id.short_hex() + " at " + path);
                 },
             .unreadable = [this](const BlobId& id, const Error&) { unreadable_.push_back(id); }}};
  }
  Status search_root(ObjectSearch& search) {
    TreesAhead ahead(*repository_, options());
    return search.search(ahead, root_);
  }
  void lose(const BlobId& tree) {
    memory_.remove_packs_of(tree);
    repository_ = memory_.open();
  }

  testing::MemoryRepository memory_;
  BlobId data_;
  BlobId a_;
  BlobId b_;
  BlobId root_;
  std::unique_ptr<Repository> repository_;
  std::vector<BlobId> unreadable_;
  std::vector<std::string> found_;
};

TEST_F(TreeSearchTest, FindsEntriesByPatternInTheOrderOfNames) {
  EXPECT_THAT(find("*.txt"), ElementsAre("/a/f.txt", "/b/f.txt"));
  EXPECT_THAT(find("/b/*"), ElementsAre("/b/f.txt"));
  EXPECT_THAT(find("none"), IsEmpty());
}

TEST_F(TreeSearchTest, FindsWhatLiesBelowAMatchToo) {
  EXPECT_THAT(find("a"), ElementsAre("/a", "/a/f.txt", "/a/x"));
}

TEST_F(TreeSearchTest, FindsOnlyWhatWasModifiedInTheTimeSpan) {
  constexpr Timestamp kModified{1577836800, 0};  // of every node here
  constexpr Timestamp kLater{1577836801, 0};
  EXPECT_THAT(find("x", {.oldest = kModified, .newest = kModified}), ElementsAre("/a/x"));
  EXPECT_THAT(find("x", {.oldest = kLater}), IsEmpty());
  EXPECT_THAT(find("x", {.newest = kLater}), ElementsAre("/a/x"));
}

TEST_F(TreeSearchTest, LeavesOutATreeThatCannotBeReadAndReportsIt) {
  lose(a_);
  EXPECT_THAT(find("f.txt"), ElementsAre("/b/f.txt"));
  EXPECT_THAT(unreadable_, ElementsAre(a_));
}

TEST_F(TreeSearchTest, EndsAtATreeThatCannotBeReadIfNobodyListensForOne) {
  lose(a_);
  TreesAhead ahead(*repository_, options());
  EXPECT_THAT(search_entries(ahead, root_, {.patterns = value_of(PathPatterns::parse({"f.txt"}))},
                             {.match = [](const std::string&, const Node&) {}}),
              FailsWith(ErrorKind::kCorrupt));
}

TEST_F(TreeSearchTest, EndsWhenAStopIsRequested) {
  std::stop_source stop;
  stop.request_stop();
  TreesAhead ahead(*repository_, options(stop.get_token()));
  EXPECT_THAT(search_entries(ahead, root_, {.patterns = value_of(PathPatterns::parse({"x"}))},
                             {.match = [](const std::string&, const Node&) {}}),
              FailsWith(ErrorKind::kCancelled));
}

TEST_F(TreeSearchTest, FindsABlobInEachFileAsOftenAsTheFileHasIt) {
  ObjectSearch search = search_for({.blobs = WantedIds({data_.short_hex()})});
  EXPECT_OK(search_root(search));
  const std::string id = data_.short_hex();
  EXPECT_THAT(found_, ElementsAre(id + " in /a/f.txt of " + a_.short_hex(),
                                  id + " in /b/f.txt of " + b_.short_hex(),
                                  id + " in /b/f.txt of " + b_.short_hex()));
}

TEST_F(TreeSearchTest, FindsTreesAmongThemTheRoot) {
  ObjectSearch search = search_for({.trees = WantedIds({root_.hex(), b_.hex()})});
  EXPECT_OK(search_root(search));
  EXPECT_THAT(found_, ElementsAre(root_.short_hex() + " at /", b_.short_hex() + " at /b"));
}

TEST_F(TreeSearchTest, EndsInASnapshotOnceAsManyTreesWereFoundAsThereAreIds) {
  ObjectSearch search = search_for({.trees = WantedIds({a_.hex()})});
  EXPECT_OK(search_root(search));
  EXPECT_OK(search_root(search));
  const std::string found = a_.short_hex() + " at /a";
  EXPECT_THAT(found_, ElementsAre(found, found)) << "once in each snapshot";
}

TEST_F(TreeSearchTest, GoesOnAfterAllTreesIfBlobsAreWantedToo) {
  ObjectSearch search =
      search_for({.blobs = WantedIds({data_.hex()}), .trees = WantedIds({a_.hex()})});
  EXPECT_OK(search_root(search));
  EXPECT_EQ(found_.size(), 4U);
}

TEST_F(TreeSearchTest, LeavesOutATreeThatCannotBeReadInASearchForIds) {
  lose(a_);
  ObjectSearch search = search_for({.blobs = WantedIds({data_.hex()})});
  EXPECT_OK(search_root(search));
  EXPECT_EQ(found_.size(), 2U);
  EXPECT_THAT(unreadable_, ElementsAre(a_));
}

TEST_F(TreeSearchTest, WantsWhatLiesInAPack) {
  const std::string of_data = memory_.builder().pack_names_of(data_)[0].name;
  const std::string of_tree = memory_.builder().pack_names_of(b_)[0].name;
  const WantedObjects wanted = value_of(objects_in_packs(
      *repository_, WantedIds({of_data, of_tree.substr(0, 8)}), std::chrono::seconds(60)));
  EXPECT_THAT(wanted.blobs.words(), ElementsAre(data_.hex()));
  EXPECT_THAT(wanted.trees.words(), ElementsAre(b_.hex()));
}

TEST_F(TreeSearchTest, NamesThePacksThatTheIndexDoesNotName) {
  const Result<WantedObjects> wanted =
      objects_in_packs(*repository_, WantedIds({"0123abcd", "0123abce"}), std::chrono::seconds(60));
  ASSERT_THAT(wanted, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(wanted.error().message(), AllOf(HasSubstr("0123abcd"), HasSubstr("0123abce")));
}

}  // namespace
}  // namespace restree
