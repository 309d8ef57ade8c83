#include "repo/rewriter/recovered_tree.h"

#include <map>
#include <utility>

#include "repo/format/tree_writer.h"

namespace restree {

std::vector<std::string> recovered_names(const std::vector<RecoveredTree>& trees) {
  std::map<std::string, int> uses;
  for (const RecoveredTree& one : trees) ++uses[one.found.short_hex()];
  std::vector<std::string> names;
  names.reserve(trees.size());
  for (const RecoveredTree& one : trees) {
    const std::string name = one.found.short_hex();
    names.push_back(uses[name] == 1 ? name : one.found.hex());
  }
  return names;
}

Result<std::string> write_recovered_tree(const std::vector<RecoveredTree>& trees, Timestamp time,
                                         const TimeZone& zone) {
  std::map<std::string, BlobId> folders;  // a tree's nodes are in the order of their names
  const std::vector<std::string> names = recovered_names(trees);
  for (std::size_t i = 0; i < trees.size(); ++i) folders.emplace(names[i], trees[i].tree);
  TreeWriter writer(zone);
  for (const auto& [name, tree] : folders) {
    Node node{};
    node.name = name;
    node.type = NodeType::kDirectory;
    node.has_mode = true;
    node.permissions = 0755;
    node.mtime = node.atime = node.ctime = time;
    node.subtree = tree;
    RETURN_IF_ERROR(writer.append(node));
  }
  return writer.finish();
}

}  // namespace restree
