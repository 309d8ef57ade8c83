#include "repo/trees/path_lookup.h"

#include <fmt/core.h>

#include <filesystem>

#include "repo/tree_loading.h"

namespace restree {

Result<NamedEntry> look_up(BlobSource& blobs, const BlobId& root, const std::string& path,
                           Deadline by) {
  NamedEntry found;
  ASSIGN_OR_RETURN(found.tree, load_whole_tree(blobs, root, by));
  std::string so_far;
  for (const auto& part : std::filesystem::path(path)) {
    const std::string name = part.string();
    if (name.empty() || name == "/" || name == ".") continue;
    if (found.file != nullptr) {
      return Error(ErrorKind::kInvalid,
                   fmt::format("\"{}\" should be a dir, but is a file", so_far));
    }
    so_far += "/" + name;
    const Node* const node = found.tree->find(name);
    if (node == nullptr) {
      return Error(ErrorKind::kInvalid, fmt::format("path \"{}\" not found in snapshot", so_far))
          .hinting("`ls` lists what a snapshot holds.");
    }
    if (node->type == NodeType::kDirectory && node->subtree) {
      ASSIGN_OR_RETURN(found.tree, load_whole_tree(blobs, *node->subtree, by));
    } else if (node->type == NodeType::kFile) {
      found.file = node;
    } else {
      return Error(ErrorKind::kInvalid,
                   fmt::format("\"{}\" should be a file, but is something else", so_far));
    }
  }
  return found;
}

}  // namespace restree
