#include "repo/archiver/archive_tally.h"

#include <vector>

namespace restree {

ItemChange change_of(const SourceNode& node, const Node* before) {
  if (before == nullptr) return ItemChange::kNew;
  std::vector<ExtendedAttribute> views;
  return is_same_node(*before, node.view(views)) ? ItemChange::kUnmodified : ItemChange::kModified;
}

void ArchiveTally::complain(const std::string& path, const Error& error) {
  ++result_.lock()->errors;
  events_.on_error(path, error);
}

void ArchiveTally::count(const SourceNode& node, ItemChange change) {
  auto result = result_.lock();
  result->bytes += node.size;
  if (node.type != NodeType::kFile && node.type != NodeType::kDirectory) return;
  auto& counts = node.type == NodeType::kFile ? result->files : result->folders;
  ++(change == ItemChange::kNew        ? counts.created
     : change == ItemChange::kModified ? counts.changed
                                       : counts.unmodified);
}

void ArchiveTally::report(const std::string& path, const SourceNode& node, ItemChange change,
                          const AddedSizes& added, std::chrono::steady_clock::time_point begun) {
  count(node, change);
  const bool is_folder = node.type == NodeType::kDirectory;
  events_.on_saved({.path = path,
                    .type = node.type,
                    .change = change,
                    .size = node.size,
                    .data = is_folder ? AddedSizes{} : added,
                    .metadata = is_folder ? added : AddedSizes{},
                    .duration = std::chrono::steady_clock::now() - begun});
}

}  // namespace restree
