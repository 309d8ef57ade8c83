#include "repo/dumper/dumper.h"

#include <fmt/core.h>

#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "repo/base/log.h"
#include "repo/format/node_name.h"
#include "repo/tree_loading.h"

namespace restree {

struct Dumper::Level {
  std::shared_ptr<const Tree> tree;
  std::string path;
  std::size_t next = 0;
};

Result<std::vector<std::uint32_t>> Dumper::sizes_of(const Node& node,
                                                    const std::string& path) const {
  std::vector<std::uint32_t> sizes;
  for (const BlobId& id : node.content) {
    const auto size = repository_.size_anywhere(BlobType::kData, id);
    if (!size) {
      return Error(ErrorKind::kCorrupt,
                   fmt::format("{}: data blob {} is in no index", log::quoted(path), id.hex()));
    }
    sizes.push_back(*size);
  }
  return sizes;
}

Result<bool> Dumper::push_file(DumpQueue& queue, const std::shared_ptr<const Tree>& tree,
                               const Node& node, std::string path) const {
  const auto sum_of = [](const std::vector<std::uint32_t>& sizes) {
    return std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
  };
  ASSIGN_OR_RETURN(std::vector<std::uint32_t> sizes, sizes_of(node, path));
  if (sum_of(sizes) != node.size && repository_.correct_sizes(node.content)) {
    ASSIGN_OR_RETURN(sizes, sizes_of(node, path));
  }
  const std::uint64_t size = sum_of(sizes);
  // The sum, and not what the node says: an archive must hold as many bytes as it announces.
  if (!queue.push({.tree = tree, .node = &node, .path = std::move(path), .size = size})) {
    return false;
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (!queue.push({.tree = tree,
                     .node = &node,
                     .path = {},
                     .size = sizes[i],
                     .blob = &node.content[i]})) {
      return false;
    }
  }
  return true;
}

bool Dumper::push_refused(DumpQueue& queue, const Tree& tree, const std::string& path) {
  for (const std::string& line : tree.refused()) {
    if (!queue.push({.left_out = fmt::format("{}: {}", log::quoted("/" + path), line)})) {
      return false;
    }
  }
  return true;
}

Result<bool> Dumper::push_node(DumpQueue& queue, const std::shared_ptr<const Tree>& tree,
                               const Node& node, const std::string& path) const {
  if (holds_zero_byte(node.link_target)) {
    return Error(ErrorKind::kCorrupt, log::quoted(path) + ": the link's target, " +
                                          log::quoted(node.link_target) +
                                          ", holds a zero byte, and no archive can hold that");
  }
  if (node.type == NodeType::kFile) return push_file(queue, tree, node, path);
  return queue.push({.tree = tree, .node = &node, .path = path});
}

Status Dumper::walk(DumpQueue& queue, std::shared_ptr<const Tree> tree, std::string path) const {
  std::vector<Level> levels;
  if (!push_refused(queue, *tree, path)) return {};
  levels.push_back({std::move(tree), std::move(path), 0});
  while (!levels.empty()) {
    if (bulk_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
    Level& level = levels.back();
    if (level.next == level.tree->nodes().size()) {
      levels.pop_back();
      continue;
    }
    const Node& node = level.tree->nodes()[level.next++];
    std::string node_path = level.path.empty() ? "" : level.path + "/";
    node_path += node.name;
    ASSIGN_OR_RETURN(const bool taken, push_node(queue, level.tree, node, node_path));
    if (!taken) return {};
    if (node.type != NodeType::kDirectory) continue;
    if (!node.subtree) {
      return Error(ErrorKind::kCorrupt, log::quoted(node_path) + ": the folder has no tree");
    }
    auto below = load_whole_tree(repository_, *node.subtree, Deadline::after(bulk_.patience));
    if (!below) return std::move(below).error().with(log::quoted(node_path));
    if (!push_refused(queue, **below, node_path)) return {};
    levels.push_back({std::move(*below), std::move(node_path), 0});
  }
  return {};
}

void Dumper::tell_left_out(const std::string& words) const {
  if (on_left_out_) on_left_out_(words + ", and is left out");
}

namespace {

std::string_view kind_of(NodeType type) {
  switch (type) {
    case NodeType::kSocket:
      return "a socket";
    case NodeType::kFifo:
      return "a FIFO";
    case NodeType::kBlockDevice:
    case NodeType::kCharDevice:
      return "a device";
    default:
      return "of this type";
  }
}

}  // namespace

Status Dumper::write_all(DumpQueue& queue, DumpSink& sink) const {
  std::string path;
  for (;;) {
    if (bulk_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
    ASSIGN_OR_RETURN(const std::optional<DumpEntry> entry, queue.take());
    if (!entry) return {};
    if (!entry->left_out.empty()) {
      tell_left_out(entry->left_out);
      continue;
    }
    if (entry->blob == nullptr) {
      path = entry->path;
      const NodeType type = entry->node->type;
      if (sink.holds(type)) {
        RETURN_IF_ERROR(sink.begin(path, *entry->node, entry->size));
      } else {
        tell_left_out(fmt::format("{} is {}, which the archive cannot hold",
                                  log::quoted("/" + path), kind_of(type)));
      }
      continue;
    }
    if (!entry->content) return Error(entry->content.error()).with(log::quoted(path));
    RETURN_IF_ERROR(sink.data(*entry->content));
  }
}

Status Dumper::dump_file(std::shared_ptr<const Tree> tree, const Node& node, DumpSink& sink) {
  DumpQueue queue(repository_, bulk_);
  const std::jthread walker([&] {
    const Result<bool> pushed = push_file(queue, tree, node, std::string(node.name));
    queue.close(pushed ? Status() : Status(pushed.error()));
  });
  Status written = write_all(queue, sink);
  queue.abandon();
  return written;
}

Status Dumper::dump_folder(std::shared_ptr<const Tree> tree, std::string path, DumpSink& sink) {
  DumpQueue queue(repository_, bulk_);
  const std::jthread walker([&] { queue.close(walk(queue, std::move(tree), std::move(path))); });
  Status written = write_all(queue, sink);
  queue.abandon();
  return written;
}

}  // namespace restree
