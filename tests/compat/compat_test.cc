// What earlier versions have written is read: tests/compat/README.md says what lies there.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "cache/disk_cache.h"
#include "program/repository_opening.h"
#include "repo/base/unique_fd.h"
#include "repo/crypto/sha256.h"
#include "repo/format/tree.h"
#include "repo/storage/local_storage.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

fs::path corpora() { return fs::path(RESTREE_SOURCE_DIR) / "tests/compat"; }

std::vector<std::string> versions() {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(corpora())) {
    if (entry.is_directory()) found.push_back(entry.path().filename().string());
  }
  std::ranges::sort(found);
  return found;
}

// Copies a file and leaves out blocks of zeros: where its file system has holes, these are some.
void copy_with_holes(const fs::path& from, const fs::path& to) {
  constexpr std::size_t kBlock = 4096;
  const std::string content = read_file(from);
  const UniqueFd fd(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  ASSERT_TRUE(fd) << to;
  for (std::size_t at = 0; at < content.size(); at += kBlock) {
    const std::string block = content.substr(at, kBlock);
    if (block.find_first_not_of('\0') == std::string::npos) continue;
    ASSERT_EQ(::pwrite(fd.get(), block.data(), block.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(block.size()));
  }
  ASSERT_EQ(::ftruncate(fd.get(), static_cast<off_t>(content.size())), 0);
}

// With the modes that a cache must have, whatever those of the source tree are.
void lay_out(const fs::path& from, const fs::path& to) {
  ASSERT_EQ(::mkdir(to.c_str(), 0700), 0) << to;
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path target = to / entry.path().filename();
    entry.is_directory() ? lay_out(entry.path(), target) : copy_with_holes(entry.path(), target);
  }
}

// One entry of a snapshot as a line of `expected` says it, without the names of the same file.
std::string line_of(const std::string& tag, const std::string& path, const Node& node,
                    const std::string& content, std::size_t links) {
  std::string kind = "folder";
  std::string what = content;
  if (node.type == NodeType::kFile) kind = "file";
  if (node.type == NodeType::kSymlink) {
    kind = "link";
    what = node.link_target;
  }
  std::string attribute;
  for (const ExtendedAttribute& one : node.xattrs) {
    if (one.name == "user.note") attribute = one.value;
  }
  std::ostringstream line;
  line << tag << '\t' << kind << '\t' << links << '\t' << what << '\t' << attribute << '\t' << path;
  return line.str();
}

// Collects the lines of all snapshots.
class Reader {
 public:
  explicit Reader(Repository& repository) : repository_(repository) {}

  std::vector<std::string> lines() {
    value_of(repository_.refresh_index(soon()));
    for (const SnapshotId& id : value_of(repository_.list_snapshots(soon()))) {
      const Snapshot snapshot = value_of(repository_.load_snapshot(id, soon()));
      names_.clear();
      entries_.clear();
      const auto root = tree(snapshot.tree);
      walk(value_of(root->find("source")->subtree), "");
      for (const Entry& entry : entries_) {
        const std::size_t links =
            entry.node->type == NodeType::kFile ? names_[entry.node->inode] : 1;
        lines_.push_back(
            line_of(snapshot.tags.at(0), entry.path, *entry.node, entry.content, links));
      }
    }
    std::ranges::sort(lines_);
    return lines_;
  }

 private:
  struct Entry {
    std::shared_ptr<const Tree> tree;  // keeps the node
    const Node* node;
    std::string path;
    std::string content;  // its hash
  };

  std::shared_ptr<const Tree> tree(const BlobId& id) {
    const SharedBlob blob = value_of(repository_.load(BlobType::kTree, id, soon()));
    return value_of(Tree::parse(*blob));
  }
  std::string hash_of(const Node& node) {
    std::string content;
    for (const BlobId& id : node.content) {
      content += as_text(value_of(repository_.load(BlobType::kData, id, soon()))->view());
    }
    EXPECT_EQ(content.size(), node.size) << node.name;
    return to_hex(sha256(as_bytes(content)));
  }
  void walk(const BlobId& id, const std::string& prefix) {
    const auto here = tree(id);
    EXPECT_THAT(here->refused(), IsEmpty());
    for (const Node& node : here->nodes()) {
      const std::string path = prefix + std::string(node.name);
      const bool is_file = node.type == NodeType::kFile;
      if (is_file) ++names_[node.inode];
      entries_.push_back({here, &node, path, is_file ? hash_of(node) : ""});
      if (node.subtree) walk(*node.subtree, path + "/");
    }
  }

  Repository& repository_;
  std::map<std::uint64_t, std::size_t> names_;  // of each inode
  std::vector<Entry> entries_;
  std::vector<std::string> lines_;
};

class Compat : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    lay_out(corpora() / GetParam() / "repository", repository());
    lay_out(corpora() / GetParam() / "cache", base());
    storage_ = std::make_shared<WatchedStorage>(make_local_storage(repository().string()));
  }

  fs::path repository() const { return dir_.path() / "repository"; }
  fs::path base() const { return dir_.path() / "restree"; }
  // The folder of the cache of this repository.
  fs::path cache() const {
    for (const std::string& name : names_in(base())) {
      if (name.size() == 64) return base() / name;
    }
    throw std::runtime_error("no cache in " + base().string());
  }
  std::vector<std::string> expected() const {
    std::istringstream file(read_file(corpora() / GetParam() / "expected"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    std::ranges::sort(lines);
    return lines;
  }
  void move_repository_away() {
    fs::rename(repository(), dir_.path() / "away");
    const auto nobody = [](const FileName&) {
      return Status(Error(ErrorKind::kUnavailable, "nobody there"));
    };
    storage_->watch(nobody);
    storage_->watch_sizes(nobody);
  }
  OpenedRepository open() {
    const CacheLimits limits{.size_bytes = 1 << 30, .least_free_bytes = 0, .least_free_percent = 0};
    const RepositoryOpening opening{
        .storage = std::make_shared<BreakerStorage>(storage_, BreakerTiming()),
        .cache = CachePlace{base().string(), limits},
        .location = "/var/tmp/restree-compat/repository",
        .key_hint = "",
        .may_be_offline = true};
    return value_of(open_repository(opening, Secret(std::string(kPassword)), soon()));
  }
  static std::vector<std::string> lines_in(const OpenedRepository& opened) {
    return Reader(*opened.repository).lines();
  }
  std::size_t pack_reads() const { return storage_->reads(FileType::kPack); }

  TempDir dir_;
  std::shared_ptr<WatchedStorage> storage_;
};

TEST_P(Compat, TheRepositoryHasWhatWasSaved) {
  fs::remove_all(base());
  const OpenedRepository opened = open();
  EXPECT_THAT(lines_in(opened), ElementsAreArray(expected()));
  EXPECT_GT(pack_reads(), 0U);
}

TEST_P(Compat, TheCacheSparesTheStorageAllPacksAndIndexFiles) {
  const OpenedRepository opened = open();
  ASSERT_NE(opened.cache, nullptr);
  EXPECT_FALSE(opened.offline);
  EXPECT_THAT(lines_in(opened), ElementsAreArray(expected()));
  EXPECT_EQ(pack_reads(), 0U);
  EXPECT_EQ(storage_->reads(FileType::kIndex), 0U);
  EXPECT_EQ(storage_->reads(FileType::kSnapshot), 0U);
  EXPECT_EQ(opened.cache->figures().damaged, 0U);
  EXPECT_EQ(opened.cache->figures().misses, 0U);
}

TEST_P(Compat, TheCacheServesAllOfItWhileTheRepositoryIsAway) {
  move_repository_away();
  const OpenedRepository opened = open();
  ASSERT_TRUE(opened.offline);
  EXPECT_THAT(lines_in(opened), ElementsAreArray(expected()));
}

TEST_P(Compat, ThePinnedSnapshotIsPinnedStill) {
  const OpenedRepository opened = open();
  const std::vector<SnapshotId> pins = opened.cache->pins();
  ASSERT_EQ(pins.size(), 1U);
  const Snapshot snapshot = value_of(opened.repository->load_snapshot(pins.front(), soon()));
  EXPECT_THAT(snapshot.tags, ElementsAre("second"));
}

// Without the index files beside it, which would have to come from the storage. Its integers are
// the machine's own: one of the other byte order loads those files and merges them anew.
TEST_P(Compat, TheMergedIndexSparesTheStorageTheIndexFiles) {
  fs::remove_all(cache() / "index");
  const OpenedRepository opened = open();
  EXPECT_THAT(lines_in(opened), ElementsAreArray(expected()));
  const std::size_t merged_anew = std::endian::native == std::endian::little ? 0 : 3;
  EXPECT_EQ(storage_->reads(FileType::kIndex), merged_anew);
}

TEST_P(Compat, WhatIsDamagedInTheCacheIsFilledInAnew) {
  for (const fs::path& file : files_below(cache())) {
    const auto size = fs::file_size(file);
    if (size > 0) flip_byte(file, size / 2);
  }
  {
    const OpenedRepository opened = open();
    EXPECT_THAT(lines_in(opened), ElementsAreArray(expected()));
    EXPECT_GT(pack_reads(), 0U);
    opened.cache->flush();
  }
  const std::size_t before = pack_reads();
  const OpenedRepository again = open();
  EXPECT_THAT(lines_in(again), ElementsAreArray(expected()));
  EXPECT_EQ(pack_reads(), before);
}

INSTANTIATE_TEST_SUITE_P(Versions, Compat, ::testing::ValuesIn(versions()),
                         [](const auto& version) {
                           std::string name = version.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace restree::testing
