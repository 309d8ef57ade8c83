// Gives a local repository a snapshot of large folders and files, as bench/compare-size measures them.
//
//   large_trees REPOSITORY ENTRIES FILES BYTES       RESTIC_PASSWORD has the password
//
//   large/   one folder of ENTRIES files
//   small/   as many files in folders of 1,000
//   rest/    as many folders of 1,000 files as make FILES files of all
//   random/file   BYTES bytes, of 64 chunks of 1 MiB of random bytes that repeat
//   zeros/file    BYTES zeros
//   short/file    1 GiB, otherwise as that in random/
#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "repo/format/tree_writer.h"
#include "repo/repository.h"
#include "repo/storage/local_storage.h"
#include "repo/writer/repository_writer.h"

namespace restree {
namespace {

constexpr std::uint64_t kFolderEntries = 1'000;
constexpr std::uint64_t kChunkBytes = 1 << 20;
constexpr std::size_t kChunks = 64;
constexpr std::uint64_t kZeroChunkBytes = 512 << 10;
constexpr std::uint64_t kShortBytes = 1 << 30;

class LargeTrees {
 public:
  explicit LargeTrees(Repository& repository)
      : repository_(repository), writer_(repository, {}, std::stop_token()) {}

  Status make(std::uint64_t entries, std::uint64_t files, std::uint64_t bytes) {
    ASSIGN_OR_RETURN(chunk_, save(BlobType::kData, "an entry\n"));
    TreeWriter root;
    ASSIGN_OR_RETURN(const BlobId large, folder(entries));
    RETURN_IF_ERROR(root.append(folder_named("large", large)));
    const auto random = [&](std::uint64_t size) {
      return chunks(random_chunks_, size, kChunkBytes);
    };
    RETURN_IF_ERROR(save_random_chunks());
    RETURN_IF_ERROR(append_file(root, "random", random(bytes), bytes));
    ASSIGN_OR_RETURN(const BlobId rest, folders(files - std::min(files, 2 * entries)));
    RETURN_IF_ERROR(root.append(folder_named("rest", rest)));
    RETURN_IF_ERROR(append_file(root, "short", random(kShortBytes), kShortBytes));
    ASSIGN_OR_RETURN(const BlobId small, folders(entries));
    RETURN_IF_ERROR(root.append(folder_named("small", small)));
    ASSIGN_OR_RETURN(const BlobId zero, save(BlobType::kData, std::string(kZeroChunkBytes, '\0')));
    RETURN_IF_ERROR(append_file(root, "zeros", chunks({zero}, bytes, kZeroChunkBytes), bytes));
    ASSIGN_OR_RETURN(const BlobId top, save(BlobType::kTree, root.finish()));
    RETURN_IF_ERROR(writer_.flush());
    const std::string snapshot = fmt::format(
        R"({{"time":"2026-09-01T03:00:05Z","tree":"{}","paths":["/"],"hostname":"bench","username":"root"}})",
        top.hex());
    RETURN_IF_ERROR(
        repository_.save_unpacked(FileType::kSnapshot, as_bytes(snapshot), Deadline::never()));
    return {};
  }

 private:
  Result<BlobId> save(BlobType type, const std::string& content) {
    ASSIGN_OR_RETURN(const SavedBlob saved, writer_.save(type, as_bytes(content)));
    return saved.id;
  }

  Node node_named(std::string_view name, NodeType type) {
    Node node{};
    node.name = name;
    node.type = type;
    node.has_mode = true;
    node.permissions = type == NodeType::kDirectory ? 0755 : 0644;
    node.user = node.group = "root";
    node.links = 1;
    node.inode = ++inode_;
    // Times as they come: with nanoseconds, and within some months.
    node.mtime = {1'780'000'000 + static_cast<std::int64_t>(random_() % 10'000'000),
                  static_cast<std::uint32_t>(random_() % 1'000'000'000)};
    node.atime = node.ctime = node.mtime;
    return node;
  }
  Node folder_named(std::string_view name, const BlobId& subtree) {
    Node node = node_named(name, NodeType::kDirectory);
    node.subtree = subtree;
    return node;
  }
  // A folder with one file, so that its long list of chunks is in no tree that others need.
  Status append_file(TreeWriter& root, std::string_view name, const std::vector<BlobId>& content,
                     std::uint64_t size) {
    Node node = node_named("file", NodeType::kFile);
    node.content = content;
    node.size = size;
    TreeWriter tree;
    RETURN_IF_ERROR(tree.append(node));
    ASSIGN_OR_RETURN(const BlobId saved, save(BlobType::kTree, tree.finish()));
    return root.append(folder_named(name, saved));
  }

  Result<BlobId> folder(std::uint64_t entries) {
    TreeWriter tree;
    for (std::uint64_t i = 0; i < entries; ++i) {
      const std::string name = fmt::format("entry-of-the-folder-{:08}", i);
      Node node = node_named(name, NodeType::kFile);
      node.content = {&chunk_, 1};
      node.size = 9;
      RETURN_IF_ERROR(tree.append(node));
    }
    return save(BlobType::kTree, tree.finish());
  }

  Result<BlobId> folders(std::uint64_t entries) {
    TreeWriter tree;
    for (std::uint64_t i = 0; i * kFolderEntries < entries; ++i) {
      ASSIGN_OR_RETURN(const BlobId made,
                       folder(std::min(kFolderEntries, entries - i * kFolderEntries)));
      RETURN_IF_ERROR(tree.append(folder_named(fmt::format("folder-{:06}", i), made)));
    }
    return save(BlobType::kTree, tree.finish());
  }

  Status save_random_chunks() {
    for (std::size_t i = 0; i < kChunks; ++i) {
      std::string bytes(kChunkBytes, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random_());
      ASSIGN_OR_RETURN(const BlobId saved, save(BlobType::kData, bytes));
      random_chunks_.push_back(saved);
    }
    return {};
  }

  static std::vector<BlobId> chunks(const std::vector<BlobId>& from, std::uint64_t bytes,
                                    std::uint64_t chunk_bytes) {
    std::vector<BlobId> content;
    for (std::uint64_t i = 0; i * chunk_bytes < bytes; ++i)
      content.push_back(from[i % from.size()]);
    return content;
  }

  Repository& repository_;
  RepositoryWriter writer_;
  std::mt19937_64 random_{1};  // the same bytes on every run
  std::uint64_t inode_ = 0;
  BlobId chunk_;
  std::vector<BlobId> random_chunks_;
};

Status add_trees(const std::string& path, Secret password,
                 const std::vector<std::uint64_t>& sizes) {
  ASSIGN_OR_RETURN(const auto repository,
                   Repository::open(make_local_storage(path), password, "", Deadline::never()));
  RETURN_IF_ERROR(repository->refresh_index(Deadline::never()));
  return LargeTrees(*repository).make(sizes[0], sizes[1], sizes[2]);
}

int run(int argc, char** argv) {
  const char* password = std::getenv("RESTIC_PASSWORD");
  std::vector<std::uint64_t> sizes;
  for (int i = 2; i < argc; ++i) sizes.push_back(std::strtoull(argv[i], nullptr, 10));
  if (argc != 5 || password == nullptr || sizes[0] == 0 || sizes[2] == 0) {
    std::fputs("usage: RESTIC_PASSWORD=… large_trees REPOSITORY ENTRIES FILES BYTES\n", stderr);
    return 2;
  }
  const Status added = add_trees(argv[1], Secret(std::string(password)), sizes);
  if (added) return 0;
  std::fprintf(stderr, "large_trees: %s\n", added.error().for_people().c_str());
  return 1;
}

}  // namespace
}  // namespace restree

int main(int argc, char** argv) { return restree::run(argc, argv); }
