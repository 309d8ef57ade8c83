#include "fs/walk_ahead.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "tests/support/matchers.h"
#include "tests/support/memory_blobs.h"
#include "tests/support/repository_builder.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::file_node;
using testing::folder_node;
using ::testing::IsEmpty;
using testing::MemoryBlobs;
using ::testing::SizeIs;

constexpr std::size_t kPlenty = 64 << 20;

// Files are told apart by their sizes, and what was wanted is told as sizes.
class WalkAheadTest : public ::testing::Test {
 protected:
  std::string file(std::uint64_t size) {
    const std::string name = "file " + std::to_string(10'000'000 + size);
    return file_node(name, {blobs_.add(name)}, size);
  }
  BlobId tree(const std::vector<std::string>& nodes) {
    std::string json;
    for (const auto& node : nodes) json += (json.empty() ? "" : ",") + node;
    return blobs_.add("{\"nodes\":[" + json + "]}");
  }
  // Whoever reads in a directory has its tree in memory, and those above it.
  BlobId entered(const BlobId& tree) {
    EXPECT_OK(trees_.load(tree, Deadline::after(60s)));
    return tree;
  }

  MemoryBlobs blobs_;
  TreeSource trees_{blobs_, 1 << 20};
  std::vector<std::size_t> fetched_;
  std::vector<std::size_t> decoded_;
  std::vector<std::size_t> tree_sizes_;  // of those whose directories' trees were to be fetched
  WalkAhead walk_{
      trees_,
      {.fetch = [this](WalkAhead::Files files) { note(fetched_, files); },
       .decode = [this](WalkAhead::Files files) { note(decoded_, files); },
       .fetch_trees = [this](const Tree& tree) { tree_sizes_.push_back(tree.nodes().size()); }},
      60s};

 private:
  static void note(std::vector<std::size_t>& list, WalkAhead::Files files) {
    for (const Prefetcher::Wanted& one : files) list.push_back(one.size_bytes);
  }
};

TEST_F(WalkAheadTest, AtTheEndOfADirectoryItsNextSiblingIsWanted) {
  const BlobId here = entered(tree({file(1)}));
  const BlobId above = entered(tree({folder_node("a", tree({file(7)})), folder_node("b", here),
                                     folder_node("c", tree({file(2), file(3)}))}));
  walk_.go_on({{above, 1}, {here, 0}}, kPlenty);
  EXPECT_THAT(fetched_, ElementsAre(2, 3));
  EXPECT_THAT(decoded_, ElementsAre(2, 3));
}

TEST_F(WalkAheadTest, DirectoriesBelowComeBeforeThoseBeside) {
  const BlobId below = tree({file(2), folder_node("z", tree({file(3)}))});
  const BlobId here = entered(tree({file(1), folder_node("sub", below)}));
  const BlobId above = entered(tree({folder_node("b", here), folder_node("c", tree({file(4)}))}));
  walk_.go_on({{above, 0}, {here, 0}}, kPlenty);
  EXPECT_THAT(fetched_, ElementsAre(2, 3, 4));
}

TEST_F(WalkAheadTest, GoesUpAsFarAsTheWayIsInMemory) {
  const BlobId here = entered(tree({file(1)}));
  const BlobId above = entered(tree({folder_node("b", here)}));
  const BlobId top = tree({folder_node("x", above), folder_node("y", tree({file(2)}))});
  walk_.go_on({{top, 0}, {above, 0}, {here, 0}}, kPlenty);
  EXPECT_THAT(fetched_, IsEmpty());
  entered(top);
  walk_.go_on({{top, 0}, {above, 0}, {here, 0}}, kPlenty);
  EXPECT_THAT(fetched_, ElementsAre(2));
}

TEST_F(WalkAheadTest, OnlySmallFilesAreWanted) {
  const std::string large = file_node("large", {blobs_.add("large")}, 2 << 20);
  const std::string two = file_node("two", {blobs_.add("one"), blobs_.add("other")}, 8);
  const BlobId here = entered(tree({file(1)}));
  const BlobId above =
      entered(tree({folder_node("b", here),
                    folder_node("c", tree({large, two, file_node("no", {}, 0), file(2)}))}));
  walk_.go_on({{above, 0}, {here, 0}}, kPlenty);
  EXPECT_THAT(fetched_, ElementsAre(2));
}

TEST_F(WalkAheadTest, OfALargeDirectoryOnlyTheBeginningIsWanted) {
  std::vector<std::string> files;
  for (std::uint64_t i = 0; i < 40; ++i) files.push_back(file((1 << 20) - i));
  const BlobId here = entered(tree({file(1)}));
  const BlobId above = entered(tree({folder_node("b", here), folder_node("c", tree(files))}));
  walk_.go_on({{above, 0}, {here, 0}}, kPlenty);
  EXPECT_THAT(fetched_, SizeIs(5));
}

TEST_F(WalkAheadTest, TreesBelowTheNextDirectoriesAreFetchedBeforeTheirFilesAreWorthIt) {
  constexpr std::uint64_t kLarge = 1 << 20;
  const BlobId large = tree({file(kLarge)});
  const BlobId far = tree({folder_node("1", large), folder_node("2", large)});
  const BlobId here = entered(tree({file(1)}));
  const BlobId next = entered(tree({file(kLarge - 1), file(kLarge - 2), file(kLarge - 3)}));
  const BlobId above = entered(tree({folder_node("a", here), folder_node("b", next),
                                     folder_node("c", large), folder_node("d", far)}));
  walk_.go_on({{above, 0}, {here, 0}}, kPlenty);
  EXPECT_THAT(tree_sizes_, IsEmpty()) << "a stranger";
  walk_.go_on({{above, 1}, {next, 0}}, kPlenty);
  EXPECT_THAT(tree_sizes_, ElementsAre(4, 1, 2));  // above, c, d
  walk_.go_on({{above, 2}, {entered(large), 0}}, kPlenty);
  EXPECT_THAT(tree_sizes_, SizeIs(3)) << "the same again";
}

// Forty directories of the first window each.
class LongWalk : public WalkAheadTest {
 protected:
  static constexpr std::uint64_t kEach = WalkAhead::kFirstWindow;

  LongWalk() {
    std::vector<std::string> folders;
    for (std::uint64_t i = 0; i < 40; ++i) {
      directories_.push_back(tree({file(kEach + i)}));
      folders.push_back(folder_node("d" + std::to_string(10 + i), directories_.back()));
    }
    above_ = entered(tree(folders));
  }
  void end_of(std::uint32_t directory, std::size_t most_bytes = kPlenty) {
    walk_.go_on({{above_, directory}, {entered(directories_[directory]), 0}}, most_bytes);
  }
  // How many directories after this one have been told.
  static std::size_t lead(const std::vector<std::size_t>& told, std::uint32_t directory) {
    return told.empty() ? 0 : *std::ranges::max_element(told) - kEach - directory;
  }

  std::vector<BlobId> directories_;
  BlobId above_;
};

TEST_F(LongWalk, AStrangerGetsLittle) {
  end_of(0);
  EXPECT_THAT(fetched_, SizeIs(1));
  end_of(20);
  EXPECT_THAT(fetched_, SizeIs(2));
}

TEST_F(LongWalk, WhoGoesOnHasMoreAheadButNeverMoreThanAPartOfHisWalk) {
  for (std::uint32_t i = 0; i < 30; ++i) {
    end_of(i);
    EXPECT_GE(lead(fetched_, i), 1U) << i;
    EXPECT_LE(lead(fetched_, i), 1 + i / WalkAhead::kPartOfWalk) << i;
  }
  EXPECT_GE(lead(fetched_, 29), 29 / WalkAhead::kPartOfWalk / 2);
}

TEST_F(LongWalk, SeveralDirectoriesAreToldTogether) {
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < 30; ++i) {
    const std::size_t before = i == 0 ? 0 : lead(fetched_, i);
    end_of(i);
    most = std::max(most, lead(fetched_, i) - before);
  }
  EXPECT_GE(most, 3U);
}

TEST_F(LongWalk, NothingIsDecodedTwice) {
  for (std::uint32_t i = 0; i < 39; ++i) end_of(i);
  EXPECT_THAT(decoded_, SizeIs(39));
}

TEST_F(LongWalk, WhatIsFarIsFetchedOnceAndAgainOnlyWhenItIsNear) {
  for (std::uint32_t i = 0; i < 39; ++i) end_of(i);
  EXPECT_THAT(std::set<std::size_t>(fetched_.begin(), fetched_.end()), SizeIs(39));
  EXPECT_LE(fetched_.size(), 2 * decoded_.size());
}

TEST_F(LongWalk, NoMoreThanItIsWorthIsWanted) {
  for (std::uint32_t i = 0; i < 30; ++i) {
    end_of(i, 2 * kEach);
    EXPECT_LE(lead(fetched_, i), 2U) << i;
  }
}

TEST_F(LongWalk, OnlyTheNextOnesAreDecoded) {
  for (std::uint32_t i = 0; i < 30; ++i) {
    end_of(i);
    EXPECT_LE(lead(decoded_, i), WalkAhead::kDecoded / kEach) << i;
  }
  EXPECT_GT(lead(fetched_, 29), lead(decoded_, 29));
}

TEST_F(LongWalk, EndsWhereATreeCannotBeLoaded) {
  blobs_.fail(directories_[2], Error(ErrorKind::kUnavailable, "out of reach"));
  end_of(0);
  end_of(1);
  EXPECT_THAT(fetched_, SizeIs(1));
}

}  // namespace
}  // namespace restree
