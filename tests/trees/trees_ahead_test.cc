#include "repo/trees/trees_ahead.h"

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/gate.h"
#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using testing::soon;
using testing::value_of;

class TreesAheadTest : public ::testing::Test {
 protected:
  // Adds trees that differ, each in a pack of its own.
  std::vector<BlobId> add_trees(std::size_t count) {
    std::vector<BlobId> trees;
    for (std::size_t i = 0; i < count; ++i) {
      trees.push_back(memory_.builder().add_tree({file_node("f" + std::to_string(i), {}, 0)}));
    }
    memory_.builder().finish();
    return trees;
  }
  // Reads of packs wait at this gate until it is open.
  void guard_reads() {
    memory_.storage().watch([this](const FileName& file) -> Status {
      if (file.type == FileType::kPack) gate_.pass();
      return {};
    });
  }

  testing::MemoryRepository memory_;
  testing::Gate gate_;
};

TEST_F(TreesAheadTest, LoadsSeveralAtOnce) {
  const std::vector<BlobId> trees = add_trees(TreesAhead::kThreads);
  const auto repository = memory_.open();
  guard_reads();
  TreesAhead ahead(*repository, {.patience = 60s});
  ahead.announce(trees);
  gate_.wait_for_arrivals(TreesAhead::kThreads);
  gate_.open();
  for (const BlobId& tree : trees) EXPECT_OK(ahead.load(tree, soon()));
  EXPECT_EQ(memory_.storage().reads(FileType::kPack), trees.size()) << "each once";
}

TEST_F(TreesAheadTest, GoesNoFurtherAheadThanItsWindow) {
  const std::vector<BlobId> trees = add_trees(3 * TreesAhead::kWindow);
  const auto repository = memory_.open();
  {
    TreesAhead ahead(*repository, {.patience = 60s});
    ahead.announce(trees);
    for (std::size_t i = 0; i < 10; ++i) EXPECT_OK(ahead.load(trees[i], soon()));
  }
  EXPECT_LE(memory_.storage().reads(FileType::kPack), TreesAhead::kWindow + 10);
}

TEST_F(TreesAheadTest, TreesAnnouncedLastComeFirst) {
  const std::vector<BlobId> trees = add_trees(4);
  const auto repository = memory_.open();
  TreesAhead ahead(*repository, {.patience = 60s});
  ahead.announce({trees[0], trees[1]});
  ahead.announce({trees[2], trees[3]});
  EXPECT_OK(ahead.load(trees[3], soon()));  // and never trees[2]
  EXPECT_EQ(ahead.announcements(), 2U);
  EXPECT_OK(ahead.load(trees[1], soon()));
  EXPECT_EQ(ahead.announcements(), 1U);
  ahead.forget_since(0);
  EXPECT_OK(ahead.load(trees[0], soon()));  // announced or not
}

TEST_F(TreesAheadTest, OnlyTheRequestForADamagedTreeFails) {
  const std::vector<BlobId> trees = add_trees(3);
  memory_.damage(memory_.builder().pack_names_of(trees[1])[0]);
  const auto repository = memory_.open();
  TreesAhead ahead(*repository, {.patience = 60s});
  ahead.announce(trees);
  EXPECT_OK(ahead.load(trees[0], soon()));
  EXPECT_THAT(ahead.load(trees[1], soon()), FailsWith(ErrorKind::kCorrupt));
  EXPECT_OK(ahead.load(trees[2], soon()));
}

// Three levels of folders, wider than the window, and a file in each.
class WalkAhead : public TreesAheadTest {
 protected:
  static constexpr int kWide = 50;
  static constexpr int kNarrow = 3;

  WalkAhead() {
    std::vector<std::string> top;
    for (int i = 100; i < 100 + kWide; ++i) top.push_back(add_folder(i));
    memory_.builder().add_snapshot(memory_.builder().add_tree(top));
    memory_.builder().finish();
  }
  testing::Outcome run(const std::vector<std::string>& words) const { return runner_.run(words); }

  std::string expected_;
  testing::RestreeRunner runner_{std::shared_ptr<Storage>(&memory_.storage(), [](Storage*) {})};

 private:
  std::string add_folder(int name) {
    const std::string path = "/" + std::to_string(name);
    expected_ += path + "\n";
    std::vector<std::string> nodes;
    for (int i = 0; i < kNarrow; ++i) {
      const std::string inner = std::to_string(i);
      const std::string file = "f" + std::to_string(name);
      const BlobId tree = memory_.builder().add_tree({file_node(file + inner, {}, 0)});
      nodes.push_back(folder_node(inner, tree));
      expected_ += fmt::format("{0}/{1}\n{0}/{1}/{2}{1}\n", path, inner, file);
    }
    return folder_node(std::to_string(name), memory_.builder().add_tree(nodes));
  }
};

TEST_F(WalkAhead, VisitsInTheOrderOfNames) {
  const testing::Outcome found = run({"find", "*", "-q"});
  EXPECT_EQ(found.code, ExitCode::kSuccess) << found.err;
  EXPECT_EQ(found.out, expected_);
  EXPECT_EQ(run({"ls", "latest", "-q"}).out, expected_);
}

TEST_F(WalkAhead, ReadsNoTreeTwice) {
  const std::size_t before = memory_.storage().reads(FileType::kPack);
  run({"stats", "--mode", "raw-data"});
  EXPECT_EQ(memory_.storage().reads(FileType::kPack) - before, 1U + kWide + kWide * kNarrow);
}

TEST_F(WalkAhead, LoadsOnlyFoldersThatMayContainMatches) {
  const std::size_t before = memory_.storage().reads(FileType::kPack);
  EXPECT_EQ(run({"find", "/120/1/*", "-q"}).out, "/120/1/f1201\n");
  EXPECT_EQ(memory_.storage().reads(FileType::kPack) - before, 3U);
}

TEST_F(WalkAhead, EndsWhenAStopIsRequested) {
  runner_.stop();
  const testing::Outcome found = run({"find", "*", "-q"});
  EXPECT_EQ(found.code, ExitCode::kCancelled);
  EXPECT_EQ(found.out, "");
}

}  // namespace
}  // namespace restree
