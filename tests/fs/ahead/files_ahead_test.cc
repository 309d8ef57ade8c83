#include "fs/ahead/files_ahead.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/matchers.h"
#include "tests/support/memory_blobs.h"
#include "tests/support/repository_builder.h"

namespace restree {
namespace {

using testing::file_node;
using testing::folder_node;
using testing::value_of;

constexpr std::uint64_t kHere = 7;
constexpr std::uint64_t kThere = 8;

MATCHER(GivesNothing, "") {
  *result_listener << arg.begin << " to " << arg.end;
  return arg.empty();
}
MATCHER_P2(Gives, begin, end, "") {
  *result_listener << arg.begin << " to " << arg.end;
  return arg.begin == std::uint32_t(begin) && arg.end == std::uint32_t(end);
}

class FilesAheadTest : public ::testing::Test {
 protected:
  static std::string file(std::size_t number, std::uint64_t size = 10) {
    return file_node("f" + std::to_string(100000 + number), {BlobId{}}, size);
  }
  static std::shared_ptr<const CompactTree> tree(const std::vector<std::string>& nodes) {
    std::string json;
    for (const std::string& node : nodes) json += (json.empty() ? "" : ",") + node;
    json = "{\"nodes\":[" + json + "]}";
    return value_of(CompactTree::parse(as_bytes(json)));
  }
  static std::shared_ptr<const CompactTree> files(std::size_t count) {
    std::vector<std::string> nodes;
    for (std::size_t i = 0; i < count; ++i) nodes.push_back(file(i));
    return tree(nodes);
  }
  FilesAhead::Range read(const CompactTree& tree, std::uint32_t position,
                         std::uint64_t directory = kHere) {
    return ahead_.file_is_read(directory, tree, position);
  }
  // Reads to the end of a directory whose files are given when they may be.
  void read_all(const CompactTree& tree, std::uint64_t directory) {
    std::uint32_t position = 0;
    while (position < tree.nodes().size()) {
      const FilesAhead::Range given = read(tree, position, directory);
      position = given.empty() ? position + 1 : given.end;
    }
  }

  FilesAhead ahead_;
};

TEST_F(FilesAheadTest, AReaderThatGoesOnGetsTwiceAsManyEachTime) {
  const auto tree = files(1000);
  EXPECT_THAT(read(*tree, 0), GivesNothing());
  EXPECT_THAT(read(*tree, 1), Gives(2, 4));
  EXPECT_THAT(read(*tree, 4), Gives(5, 9));
  EXPECT_THAT(read(*tree, 9), Gives(10, 18));
  EXPECT_THAT(read(*tree, 18), Gives(19, 35));
  EXPECT_THAT(read(*tree, 35), Gives(36, 68));
  EXPECT_THAT(read(*tree, 68), Gives(69, 101)) << "no more than kMost";
}

TEST_F(FilesAheadTest, AReaderThatLeapsGetsNothing) {
  const auto tree = files(1000);
  EXPECT_THAT(read(*tree, 500), GivesNothing());
  EXPECT_THAT(read(*tree, 100), GivesNothing());
  EXPECT_THAT(read(*tree, 900), GivesNothing());
}

TEST_F(FilesAheadTest, AfterALeapAReaderBeginsSmall) {
  const auto tree = files(1000);
  for (const std::uint32_t position : {0U, 1U, 4U, 9U}) read(*tree, position);
  EXPECT_THAT(read(*tree, 500), GivesNothing());
  EXPECT_THAT(read(*tree, 501), Gives(502, 504));
}

TEST_F(FilesAheadTest, WhatIsAskedForAlthoughItWasGivenChangesNothing) {
  const auto tree = files(1000);
  for (const std::uint32_t position : {0U, 1U}) read(*tree, position);
  EXPECT_THAT(read(*tree, 2), GivesNothing());
  EXPECT_THAT(read(*tree, 4), Gives(5, 9));
}

TEST_F(FilesAheadTest, TheLastFileIsToBeAskedFor) {
  const auto tree = files(6);
  EXPECT_THAT(read(*tree, 0), GivesNothing());
  EXPECT_THAT(read(*tree, 1), Gives(2, 4));
  EXPECT_THAT(read(*tree, 4), GivesNothing());
  EXPECT_THAT(read(*tree, 5), GivesNothing());
}

TEST_F(FilesAheadTest, TheDirectoryAfterOneThatWasReadToItsEndBeginsWithAsMany) {
  const auto tree = files(20);
  read_all(*tree, kHere);
  EXPECT_THAT(read(*tree, 0, kThere), Gives(1, 19));
}

TEST_F(FilesAheadTest, TheDirectoryAfterOneThatWasNotReadToItsEndBeginsSmall) {
  const auto tree = files(40);
  read_all(*tree, kHere);
  EXPECT_THAT(read(*tree, 0, kThere), Gives(1, 33));
  EXPECT_THAT(read(*tree, 0, 9), GivesNothing()) << "there, only the first file was read";
}

TEST_F(FilesAheadTest, ADirectoryThatIsEnteredInTheMiddleInheritsNothing) {
  const auto tree = files(400);
  read_all(*tree, kHere);
  EXPECT_THAT(read(*tree, 200, kThere), GivesNothing());
}

TEST_F(FilesAheadTest, WhatIsNotASmallFileIsLeftOut) {
  const auto mixed = tree({file(0), file(1), folder_node("g", BlobId{}), file(2, 5 << 20), file(3),
                           file_node("z1", {}, 0), file_node("z2", {BlobId{}}, 1)});
  EXPECT_THAT(read(*mixed, 0), GivesNothing());
  const FilesAhead::Range given = read(*mixed, 1);
  EXPECT_LT(given.end, 7U) << "the last small file is to be asked for";
  EXPECT_FALSE(given.empty());
}

TEST_F(FilesAheadTest, NoMoreBytesAreGivenThanFitIntoTheBound) {
  std::vector<std::string> nodes;
  for (std::size_t i = 0; i < 100; ++i) nodes.push_back(file(i, FilesAhead::kMostBytes / 3));
  const auto large = tree(nodes);
  for (const std::uint32_t position : {0U, 1U, 4U}) read(*large, position);
  const FilesAhead::Range given = read(*large, 8);
  EXPECT_LE(given.end - given.begin, 3U);
  EXPECT_FALSE(given.empty());
}

TEST_F(FilesAheadTest, AReaderGoesOnFromTheFirstFileThatItDidNotGet) {
  const auto tree = files(1000);
  for (const std::uint32_t position : {0U, 1U, 4U}) read(*tree, position);
  ahead_.is_given_until(kHere, 6);
  EXPECT_THAT(read(*tree, 6), Gives(7, 15));
}

TEST_F(FilesAheadTest, RemembersAsManyReadersAsItSays) {
  const auto tree = files(10);
  read(*tree, 0, kHere);
  for (std::uint64_t other = 100; other < 100 + FilesAhead::kMostReaders; ++other) {
    read(*tree, 5, other);
  }
  EXPECT_THAT(read(*tree, 1, kHere), GivesNothing()) << "it was forgotten";
}

}  // namespace
}  // namespace restree
