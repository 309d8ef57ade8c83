#include "fs/ahead/walk_ahead.h"

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
constexpr std::uint64_t kQuarter = WalkAhead::kFirstWindow / 4;

// Files are told apart by their sizes, and expectations name them by their sizes.
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
  // While a program reads in a directory, its tree and those above it are in memory.
  BlobId entered(const BlobId& tree) {
    EXPECT_OK(trees_.load(tree, Deadline::after(60s)));
    return tree;
  }

  MemoryBlobs blobs_;
  TreeSource trees_{blobs_, 1 << 20};
  std::vector<std::size_t> fetched_;
  std::vector<std::size_t> decoded_;
  WalkAhead walk_{trees_,
                  {.fetch = [this](WalkAhead::Files files) { note(fetched_, files); },
                   .decode = [this](WalkAhead::Files files) { note(decoded_, files); }},
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

// Forty directories of a quarter of the first window each.
class LongWalk : public WalkAheadTest {
 protected:
  LongWalk() {
    std::vector<std::string> folders;
    for (std::uint64_t i = 0; i < 40; ++i) {
      directories_.push_back(tree({file(kQuarter + i)}));
      folders.push_back(folder_node("d" + std::to_string(10 + i), directories_.back()));
    }
    above_ = entered(tree(folders));
  }
  void end_of(std::uint32_t directory, std::size_t most_bytes = kPlenty) {
    walk_.go_on({{above_, directory}, {entered(directories_[directory]), 0}}, most_bytes);
  }

  std::vector<BlobId> directories_;
  BlobId above_;
};

TEST_F(LongWalk, AStrangerGetsLittle) {
  end_of(0);
  EXPECT_THAT(fetched_, SizeIs(4));
  end_of(20);
  EXPECT_THAT(fetched_, SizeIs(8));
}

TEST_F(LongWalk, ARightPredictionDoublesTheWindowEachTime) {
  end_of(0);
  end_of(1);
  EXPECT_THAT(fetched_, SizeIs(1 + 8));
  end_of(2);
  EXPECT_THAT(fetched_, SizeIs(2 + 16));
}

TEST_F(LongWalk, NothingIsDecodedTwice) {
  for (std::uint32_t i = 0; i < 39; ++i) end_of(i);
  EXPECT_THAT(decoded_, SizeIs(39));
}

TEST_F(LongWalk, AFarTreeIsFetchedOnceAndAgainOnlyWhenItIsNear) {
  for (std::uint32_t i = 0; i < 4; ++i) end_of(i);
  const std::set<std::size_t> each(fetched_.begin(), fetched_.end());
  EXPECT_THAT(each, SizeIs(3 + 32));
  EXPECT_LE(fetched_.size(), each.size() + decoded_.size());
}

TEST_F(LongWalk, NoMoreThanItIsWorthIsWanted) {
  end_of(0, 2 * kQuarter);
  end_of(1, 2 * kQuarter);
  end_of(2, 2 * kQuarter);
  EXPECT_THAT(fetched_, SizeIs(2 + 2));
}

TEST_F(LongWalk, OnlyTheNextOnesAreDecoded) {
  for (std::uint32_t i = 0; i < 4; ++i) end_of(i);
  EXPECT_THAT(decoded_, SizeIs(3 + WalkAhead::kDecoded / kQuarter));
}

TEST_F(LongWalk, EndsWhereATreeCannotBeLoaded) {
  blobs_.fail(directories_[3], Error(ErrorKind::kUnavailable, "out of reach"));
  end_of(0);
  EXPECT_THAT(fetched_, SizeIs(2));
}

}  // namespace
}  // namespace restree
