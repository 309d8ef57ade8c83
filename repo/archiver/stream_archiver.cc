#include "repo/archiver/stream_archiver.h"

#include <fmt/core.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "repo/base/thread_pool.h"
#include "repo/format/tree_writer.h"

namespace restree {
namespace {

constexpr std::uint16_t kFileMode = 0644;
constexpr std::uint16_t kFolderMode = 0755;

Node plain_node(const StreamTarget& target, std::string_view name, NodeType type) {
  Node node{};
  node.name = name;
  node.type = type;
  node.has_mode = true;
  node.permissions = type == NodeType::kFile ? kFileMode : kFolderMode;
  node.uid = target.uid;
  node.gid = target.gid;
  node.mtime = node.atime = node.ctime = target.time;
  return node;
}

Result<SavedBlob> save_tree(RepositoryWriter& writer, const std::optional<Node>& only,
                            AddedSizes& added) {
  TreeWriter tree;
  if (only) RETURN_IF_ERROR(tree.append(*only));
  const std::string json = tree.finish();
  ASSIGN_OR_RETURN(const SavedBlob saved, writer.save(BlobType::kTree, as_bytes(json)));
  added.add(saved, json.size());
  return saved;
}

}  // namespace

Result<std::vector<std::string>> stream_levels(const std::string& name) {
  std::vector<std::string> levels;
  for (const auto& part : std::filesystem::path("/" + name).lexically_normal()) {
    if (part != "/" && !part.empty()) levels.push_back(part.string());
  }
  if (levels.empty()) {
    return Error(ErrorKind::kInvalid, fmt::format("'{}' is not a valid name for a file", name));
  }
  return levels;
}

Result<ArchiveResult> archive_stream(const ArchiveParts& parts, const ArchiveOptions& options,
                                     SourceFile stream, const StreamTarget& target) {
  ASSIGN_OR_RETURN(const std::vector<std::string> levels, stream_levels(target.name));
  const auto begun = std::chrono::steady_clock::now();
  ThreadPool pool(options.chunk_threads, 1);
  FileSaver saver(parts.writer, parts.chunker, pool,
                  [&](std::uint64_t count) { parts.events.on_bytes_read(count); });
  ASSIGN_OR_RETURN(const SavedContent content, saver.save(stream));

  ArchiveResult result;
  result.bytes = content.size;
  std::string path;
  for (const std::string& level : levels) path += "/" + level;
  const auto report = [&](NodeType type, std::uint64_t size, const AddedSizes& data,
                          const AddedSizes& metadata) {
    parts.events.on_saved({path, type, ItemChange::kNew, size, data, metadata,
                           std::chrono::steady_clock::now() - begun});
  };
  std::optional<Node> node;
  if (content.size != 0) {
    result.files.created = 1;
    report(NodeType::kFile, content.size, content.added, {});
    node = plain_node(target, levels.back(), NodeType::kFile);
    node->content = content.blobs;
    node->size = content.size;
  }
  for (std::size_t level = levels.size();;) {
    AddedSizes added;
    ASSIGN_OR_RETURN(const SavedBlob saved, save_tree(parts.writer, node, added));
    if (--level == 0) {
      result.tree = saved.id;
      return result;
    }
    path.erase(path.size() - levels[level].size() - 1);
    ++result.folders.created;
    report(NodeType::kDirectory, 0, {}, added);
    node = plain_node(target, levels[level - 1], NodeType::kDirectory);
    node->subtree = saved.id;
  }
}

}  // namespace restree
