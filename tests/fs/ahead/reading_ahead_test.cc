#include "fs/ahead/reading_ahead.h"

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/memory_repository.h"
#include "tests/support/process.h"

namespace restree {
namespace {

using testing::file_node;
using testing::folder_node;
using testing::holds_within;
using ::testing::IsEmpty;
using testing::MemoryRepository;
using testing::soon;
using testing::value_of;

constexpr std::chrono::seconds kPatience{30};

// One thread decodes, so that blobs are decoded in the order in which they are wanted.
class ReadingAheadTest : public ::testing::Test {
 protected:
  // A file of one blob, which is in blobs_ under the same name.
  std::string file(const std::string& name) {
    blobs_[name] = memory_.builder().add_data("content of " + name);
    return file_node(name, {blobs_[name]}, 11 + name.size());
  }
  std::string folder(const std::string& name, const std::vector<std::string>& nodes) {
    trees_[name] = memory_.builder().add_tree(nodes);
    return folder_node(name, trees_[name]);
  }
  void open(const std::vector<std::string>& nodes, bool is_far = false) {
    root_ = memory_.builder().add_tree(nodes);
    memory_.builder().finish();
    repository_ = memory_.open();
    const std::shared_ptr<Storage> storage(&memory_.storage(), [](Storage*) {});
    if (is_far) fetcher_ = std::make_shared<PackFetcher>(storage, FetchOptions{.threads = 1});
    decoded_ =
        std::make_unique<BlobRoom>(*repository_, BlobRoom::Options{.budget_bytes = 16 << 20});
    parsed_ = std::make_unique<TreeSource>(*repository_, 16 << 20);
    ahead_ = std::make_unique<ReadingAhead>(
        *repository_, *decoded_, *parsed_,
        ReadingAhead::Options{.fetcher = fetcher_.get(), .threads = 1});
  }
  SharedCompactTree tree(const BlobId& id) { return value_of(parsed_->load(id, soon())); }

  // An entry of the root tree, as its reader finds it.
  ReadingAhead::File found(const std::string& name) {
    const SharedCompactTree root = tree(root_);
    const auto position = root->find(name).value();
    return {.inode = 100 + position, .directory = 1, .tree = root, .position = position};
  }
  // Reads a small file of the root tree whole.
  void read_whole(const std::string& name) {
    const ReadingAhead::File file = found(name);
    const Node node = file.tree->nodes()[file.position];
    const FileLayout layout = FileLayout::make(
        node.content, node.size, [&](const BlobId&) { return std::uint32_t(node.size); });
    ahead_->file_is_read(file, layout, 0, node.size, [&] {
      ++ways_;
      return std::vector<WalkAhead::Step>{{root_, file.position}};
    });
  }
  bool is_decoded(const std::string& name) const { return decoded_->knows(blobs_.at(name)); }
  bool comes(const std::string& name) const {
    return holds_within(kPatience, [&] { return is_decoded(name); });
  }

  MemoryRepository memory_{2};
  BlobId root_;
  std::map<std::string, BlobId> blobs_;
  std::map<std::string, BlobId> trees_;
  std::size_t ways_ = 0;
  std::unique_ptr<Repository> repository_;
  std::shared_ptr<PackFetcher> fetcher_;
  std::unique_ptr<BlobRoom> decoded_;
  std::unique_ptr<TreeSource> parsed_;
  std::unique_ptr<ReadingAhead> ahead_;  // last: its threads use what is above
};

TEST_F(ReadingAheadTest, TheFirstSmallFileBringsTheNextOnes) {
  open({file("a"), file("b"), file("c"), file("d"), file("e")});
  read_whole("a");
  EXPECT_TRUE(comes("b"));
  EXPECT_TRUE(comes("c"));
  EXPECT_FALSE(is_decoded("a"));
  EXPECT_FALSE(is_decoded("d"));
  EXPECT_EQ(ways_, 0U);
}

TEST_F(ReadingAheadTest, TheWayIsFollowedOnlyWhereTheReaderLeavesTheDirectory) {
  open({file("a"), file("b"), folder("deep", {file("inside")}), file("x"), file("y"), file("z")});
  read_whole("a");
  EXPECT_EQ(ways_, 1U);
  EXPECT_TRUE(comes("inside"));
}

// Sizes are those of the layout: the blobs themselves are short.
TEST_F(ReadingAheadTest, AReadFromTheBeginningBringsBytesThatFollowAndALeapDoesNot) {
  constexpr std::uint32_t kPiece = 1 << 20;
  constexpr std::uint64_t kFile = std::uint64_t{5} * kPiece;
  constexpr std::uint64_t kFourthPiece = std::uint64_t{3} * kPiece;
  static_cast<void>(file("1"));
  static_cast<void>(file("2"));
  static_cast<void>(file("3"));
  static_cast<void>(file("4"));
  static_cast<void>(file("5"));
  const std::vector<BlobId> content{blobs_["1"], blobs_["2"], blobs_["3"], blobs_["4"],
                                    blobs_["5"]};
  open({file_node("large", content, kFile), file_node("other", content, kFile)});
  const FileLayout layout = FileLayout::make(content, kFile, [](const BlobId&) { return kPiece; });
  const auto no_way = [] { return std::vector<WalkAhead::Step>(); };

  ahead_->file_is_read(found("other"), layout, kFourthPiece, kFourthPiece + 10, no_way);
  ahead_->file_is_read(found("large"), layout, 0, 4096, no_way);
  EXPECT_TRUE(comes("2"));
  EXPECT_TRUE(is_decoded("1"));
  EXPECT_FALSE(is_decoded("3"));
  EXPECT_FALSE(is_decoded("4"));
}

// The windows are of some megabytes: what is behind the next one is not opened yet.
TEST_F(ReadingAheadTest, ThePacksOfTheNextWindowAreExpectedOfAFarStorage) {
  constexpr std::uint32_t kPiece = 1 << 20;
  std::vector<BlobId> content;
  std::vector<std::string> packs;
  for (int i = 0; i < 64; ++i) {
    content.push_back(memory_.builder().add_data("content " + std::to_string(i)));
  }
  const std::uint64_t size = content.size() * std::uint64_t{kPiece};
  open({file_node("large", content, size), file_node("other", content, size)}, true);
  for (const BlobId& id : content) {
    packs.push_back(repository_->find_blob(BlobType::kData, id).value().pack.hex());
  }
  const FileLayout layout = FileLayout::make(content, size, [](const BlobId&) { return kPiece; });
  const auto no_way = [] { return std::vector<WalkAhead::Step>(); };

  ahead_->file_is_read(found("other"), layout, size / 2, size / 2 + 10, no_way);
  EXPECT_THAT(memory_.storage().expected(), IsEmpty());
  ahead_->file_is_read(found("large"), layout, 0, 4096, no_way);
  const std::vector<std::string> expected = memory_.storage().expected();
  ASSERT_GT(expected.size(), 3U);
  ASSERT_LT(expected.size(), 40U);
  packs.resize(expected.size());
  EXPECT_EQ(expected, packs);
}

TEST_F(ReadingAheadTest, AListingFetchesTheTreesBelowFromAFarStorage) {
  open({folder("one", {file("a")}), folder("two", {file("b")})}, true);
  const SharedCompactTree root = tree(root_);
  value_of(parsed_->load(trees_["two"], soon()));
  ahead_->directory_is_listed(*root);
  EXPECT_TRUE(holds_within(kPatience, [&] { return fetcher_->figures().ahead_bytes > 0; }));
  const auto place = repository_->find_blob(BlobType::kTree, trees_["one"]);
  ASSERT_TRUE(place);
  const std::size_t reads = memory_.storage().reads(FileType::kPack);
  value_of(fetcher_->read(*place, BlobType::kTree, soon()));
  EXPECT_EQ(memory_.storage().reads(FileType::kPack), reads) << "the tree was not there";
  // The other one is parsed already.
  EXPECT_EQ(fetcher_->figures().requests, 1U);
}

TEST_F(ReadingAheadTest, FilesOfAFarStorageAreFetchedAndDecoded) {
  open({file("a"), file("b"), file("c"), file("d")}, true);
  read_whole("a");
  EXPECT_TRUE(holds_within(kPatience, [&] { return fetcher_->figures().requests == 2; }));
  EXPECT_TRUE(comes("b"));
  EXPECT_TRUE(comes("c"));
}

}  // namespace
}  // namespace restree
