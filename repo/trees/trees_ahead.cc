#include "repo/trees/trees_ahead.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "repo/tree_loading.h"

namespace restree {

TreesAhead::TreesAhead(Repository& repository, TreesAheadOptions options)
    : repository_(repository),
      options_(std::move(options)),
      cache_(repository, kBudgetBytes),
      pool_(kThreads, kWindow) {}

void TreesAhead::announce(std::vector<BlobId> trees) {
  if (trees.empty()) return;
  announced_.push_back({std::move(trees)});
  load_on();
}

Result<SharedBlob> TreesAhead::load(const BlobId& tree, Deadline by) {
  pass(tree);
  load_on();
  return cache_.load(BlobType::kTree, tree, by);
}

Result<SharedTree> TreesAhead::load_tree(const BlobId& id) {
  const auto load_one = [this](const BlobId& one) -> Result<SharedTree> {
    ASSIGN_OR_RETURN(const SharedBlob blob, load(one, Deadline::after(options_.patience)));
    return parse_tree(one, *blob);
  };
  ASSIGN_OR_RETURN(SharedTree tree, follow_stand_ins(id, load_one));
  if (options_.on_refused) {
    for (const std::string& why : tree->remarks()) options_.on_refused(id, why);
  }
  return tree;
}

Status TreesAhead::go_on() const {
  if (options_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
  return {};
}

// Forgets the tree, and all announced trees that should have been loaded before it.
void TreesAhead::pass(const BlobId& tree) {
  for (std::size_t i = announced_.size(); i-- > 0;) {
    Announcement& announcement = announced_[i];
    const auto begin = announcement.trees.begin();
    const auto found = std::find(begin + static_cast<std::ptrdiff_t>(announcement.next),
                                 announcement.trees.end(), tree);
    if (found == announcement.trees.end()) continue;
    announcement.next = static_cast<std::size_t>(found - begin) + 1;
    announced_.resize(i + 1);
    return;
  }
}

void TreesAhead::load_on() {
  std::size_t trees = 0;
  std::size_t bytes = 0;
  for (const Announcement& announcement : std::views::reverse(announced_)) {
    for (std::size_t i = announcement.next; i < announcement.trees.size(); ++i) {
      const BlobId& tree = announcement.trees[i];
      bytes += repository_.blob_size(BlobType::kTree, tree).value_or(0);
      // Only half of the budget, so that loaded trees are not dropped before the walk needs them.
      if (++trees > kWindow || bytes > kBudgetBytes / 2) return;
      if (cache_.knows(BlobType::kTree, tree)) continue;
      const bool is_new = queued_.lock()->insert(tree).second;
      if (!is_new) continue;
      const bool taken = pool_.try_submit([this, tree] {
        queued_.lock()->erase(tree);
        // The result is ignored: the walk gets an error when it loads the tree.
        static_cast<void>(
            cache_.load(BlobType::kTree, tree, Deadline::after(options_.patience)).has_value());
      });
      if (taken) continue;
      queued_.lock()->erase(tree);
      return;
    }
  }
}

}  // namespace restree
