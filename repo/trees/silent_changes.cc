#include "repo/trees/silent_changes.h"

#include <set>
#include <utility>
#include <vector>

#include "repo/trees/node_pairs.h"

namespace restree {
namespace {

bool is_changed_silently(const Node& before, const Node& after) {
  return before.type == NodeType::kFile && after.type == NodeType::kFile &&
         before.size == after.size && before.mtime == after.mtime &&
         !has_same_content(before, after);
}

class SilentChanges {
 public:
  SilentChanges(Repository& repository, TreesAheadOptions options)
      : trees_(repository, std::move(options)) {}

  // Not recursive: a hostile snapshot may nest folders deeper than the call stack can follow.
  Result<std::uint64_t> count(const BlobId& before, const BlobId& after) {
    if (before != after) waiting_.emplace_back(before, after);
    while (!waiting_.empty() && compared_.size() < kMostComparedFolders) {
      RETURN_IF_ERROR(trees_.go_on());
      const Folders folders = waiting_.back();
      waiting_.pop_back();
      if (!compared_.insert(folders).second) continue;
      const Status compared = compare(folders);
      if (!compared && compared.error().kind() != ErrorKind::kCorrupt) return compared.error();
    }
    return files_;
  }

 private:
  using Folders = std::pair<BlobId, BlobId>;

  Status compare(const Folders& folders) {
    ASSIGN_OR_RETURN(const SharedTree before, trees_.load_tree(folders.first));
    ASSIGN_OR_RETURN(const SharedTree after, trees_.load_tree(folders.second));
    std::vector<Folders> below;
    RETURN_IF_ERROR(for_each_pair(*before, *after, [&](const Node* a, const Node* b) -> Status {
      if (a == nullptr || b == nullptr) return {};
      if (is_changed_silently(*a, *b)) ++files_;
      const BlobId* const old_tree = folder_tree(*a);
      const BlobId* const new_tree = folder_tree(*b);
      if (old_tree != nullptr && new_tree != nullptr && *old_tree != *new_tree) {
        below.emplace_back(*old_tree, *new_tree);
      }
      return {};
    }));
    std::vector<BlobId> ahead;
    for (const auto& [old_tree, new_tree] : below) ahead.insert(ahead.end(), {old_tree, new_tree});
    trees_.announce(std::move(ahead));
    waiting_.insert(waiting_.end(), below.rbegin(), below.rend());
    return {};
  }

  TreesAhead trees_;
  std::vector<Folders> waiting_;  // the last one is next
  std::set<Folders> compared_;
  std::uint64_t files_ = 0;
};

}  // namespace

Result<std::uint64_t> count_silent_changes(Repository& repository, const BlobId& before,
                                           const BlobId& after, TreesAheadOptions options) {
  return SilentChanges(repository, std::move(options)).count(before, after);
}

}  // namespace restree
