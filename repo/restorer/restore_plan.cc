#include "repo/restorer/restore_plan.h"

#include <fmt/core.h>

#include <atomic>
#include <deque>
#include <limits>
#include <map>
#include <utility>

#include "repo/restorer/path_count.h"
#include "repo/system/memory_allowed.h"
#include "repo/tree_loading.h"

namespace restree {
namespace {

std::string joined(const std::string& folder, std::string_view name) {
  std::string path = folder;
  if (!path.ends_with('/')) path += '/';
  path += name;
  return path;
}

// What a restore keeps of each file besides its node: its place in the plan, what becomes of it, its
// task, and the blob that most of them have.
constexpr std::uint64_t kBytesAnItem = 320;
constexpr std::uint64_t kBytesAFolder = 2 * sizeof(PlannedFolder) + 64;
// Folders and files are counted in 32 bits.
constexpr std::uint64_t kMostPaths = std::numeric_limits<std::uint32_t>::max() - 1;

}  // namespace

// Goes through the trees level by level, since all trees of a level can be asked for at once, and
// then brings the folders into the order in which the backup met them.
class RestorePlanner {
 public:
  RestorePlanner(Repository& repository, const RestoreOptions& options, const BulkOptions& bulk,
                 const RestorePlan::OnError& on_error)
      : repository_(repository),
        select_(options.select),
        most_bytes_(options.plan_bytes ? *options.plan_bytes : memory_allowed() / 2),
        bulk_(bulk),
        on_error_(on_error) {}

  Result<RestorePlan> plan(const BlobId& root);

 private:
  struct Found {
    PlannedFolder folder;
    std::string location;  // only while the level is read, and only if there is a `select`
    bool wants_tree = false;
    std::uint32_t first_child = 0;
    std::uint32_t child_count = 0;
    std::vector<const Node*> items;
  };

  Status load_level(std::uint32_t begin, std::uint32_t end, const BlobId& root);
  Status take_nodes(std::uint32_t number);
  void take_folder(std::uint32_t parent, const Node& node, SelectVerdict verdict,
                   std::string location);
  Status look_ahead(std::uint32_t begin, std::uint32_t end) const;
  Status check_size() const;
  Error too_large(double paths) const;
  void mark_needed();
  RestorePlan in_order();
  std::string location_of(std::uint32_t number) const;

  Repository& repository_;
  const Select& select_;
  const std::uint64_t most_bytes_;
  const BulkOptions& bulk_;
  const RestorePlan::OnError& on_error_;
  std::deque<Found> found_;
  std::uint64_t items_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;  // of the plan, so far
};

Result<RestorePlan> RestorePlanner::plan(const BlobId& root) {
  found_.emplace_back();
  found_[0].wants_tree = true;
  found_[0].location = "/";
  for (std::uint32_t begin = 0; begin < found_.size();) {
    const auto end = static_cast<std::uint32_t>(found_.size());
    RETURN_IF_ERROR(look_ahead(begin, end));
    RETURN_IF_ERROR(load_level(begin, end, root));
    for (std::uint32_t i = begin; i < end; ++i) RETURN_IF_ERROR(take_nodes(i));
    begin = end;
  }
  mark_needed();
  return in_order();
}

Status RestorePlanner::load_level(std::uint32_t begin, std::uint32_t end, const BlobId& root) {
  BulkLoader loader(repository_, BlobType::kTree, bulk_);
  for (std::uint32_t i = begin; i < end; ++i) {
    const Found& found = found_[i];
    if (!found.wants_tree) continue;
    if (i == 0) {
      loader.want(root, i);
    } else if (found.folder.node->subtree) {
      loader.want(*found.folder.node->subtree, i);
    } else {
      found_[i].folder.unreadable = true;
      on_error_(location_of(i), Error(ErrorKind::kCorrupt, "the folder has no tree"));
    }
  }
  return loader.run([&](std::span<const BlobUse> uses, const Result<ByteView>& blob) -> Status {
    const Result<SharedTree> tree =
        blob ? parse_tree(*uses[0].id, *blob) : Result<SharedTree>(blob.error());
    if (tree) bytes_ += (*tree)->memory_bytes();
    for (const BlobUse& use : uses) {
      PlannedFolder& folder = found_[use.tag].folder;
      if (!tree) {
        folder.unreadable = true;
        on_error_(location_of(use.tag),
                  Error(tree.error()).with("the folder's content is not restored"));
        continue;
      }
      folder.tree = *tree;
      folder.complete = (*tree)->refused().empty();
      for (const std::string& line : (*tree)->remarks()) {
        on_error_(location_of(use.tag), Error(ErrorKind::kCorrupt, line));
      }
    }
    return {};
  });
}

Status RestorePlanner::take_nodes(std::uint32_t number) {
  const std::shared_ptr<const Tree> tree = found_[number].folder.tree;
  const std::string location = std::exchange(found_[number].location, {});
  found_[number].first_child = static_cast<std::uint32_t>(found_.size());
  if (tree == nullptr) return {};
  for (const Node& node : tree->nodes()) {
    if (node.type == NodeType::kSocket) continue;
    const bool is_folder = node.type == NodeType::kDirectory;
    SelectVerdict verdict{.selected = true, .children = true};
    std::string path;
    if (select_) {
      path = joined(location, node.name);
      verdict = select_(path, is_folder);
    }
    if (is_folder) {
      take_folder(number, node, verdict, std::move(path));
    } else if (verdict.selected && node.size == 0 && !node.content.empty()) {
      // An existing file would be cut to this size.
      found_[number].folder.complete = false;
      on_error_(joined(location_of(number), node.name),
                Error(ErrorKind::kCorrupt,
                      "its size cannot be read from the backup, so it is not restored")
                    .hinting("restree dump writes its content."));
    } else if (verdict.selected) {
      found_[number].items.push_back(&node);
      ++items_;
      bytes_ += kBytesAnItem;
    }
  }
  return check_size();
}

// If few trees hang in many places, the paths may be more than can be listed, and are first counted.
// What a filter leaves of them is not known before they are listed.
Status RestorePlanner::look_ahead(std::uint32_t begin, std::uint32_t end) const {
  constexpr std::uint32_t kManyFolders = 100'000;
  constexpr std::size_t kFewTrees = kManyFolders / 10;
  if (select_ || end - begin < kManyFolders) return {};
  std::map<BlobId, double> places;
  for (std::uint32_t i = begin; i < end && places.size() <= kFewTrees; ++i) {
    if (const auto& subtree = found_[i].folder.node->subtree) places[*subtree] += 1;
  }
  if (places.size() > kFewTrees) return {};
  const std::uint64_t most_items = most_bytes_ / kBytesAnItem;
  const auto most = static_cast<double>(most_items);
  ASSIGN_OR_RETURN(const double below,
                   count_paths_below(repository_, std::move(places), most, bulk_));
  const double paths = static_cast<double>(found_.size() + items_) + below;
  if (paths > most) return too_large(paths);
  return {};
}

Status RestorePlanner::check_size() const {
  const std::uint64_t paths = found_.size() + items_;
  if (bytes_ <= most_bytes_ && paths <= kMostPaths) return {};
  return too_large(static_cast<double>(paths));
}

Error RestorePlanner::too_large(double paths) const {
  return Error(ErrorKind::kLocalIo,
               fmt::format("nothing is restored: the snapshot has more than {:.0f} files and "
                           "folders, and a list of all of them would take more than {} MiB of "
                           "memory",
                           paths, most_bytes_ >> 20))
      .hinting(
          "A folder that is stored once can appear in any number of places. Restore parts of the "
          "snapshot, with SNAPSHOT:FOLDER or --include.");
}

void RestorePlanner::take_folder(std::uint32_t parent, const Node& node, SelectVerdict verdict,
                                 std::string location) {
  if (!verdict.selected && !verdict.children) return;
  Found child;
  child.folder = {.parent = parent,
                  .node = &node,
                  .tree = nullptr,
                  .selected = verdict.selected,
                  .needed = false,
                  .complete = false,
                  .unreadable = false};
  child.wants_tree = verdict.children;
  child.location = std::move(location);
  bytes_ += sizeof(Found) + kBytesAFolder + child.location.capacity();
  found_.push_back(std::move(child));
  ++found_[parent].child_count;
}

// A folder that nobody selected is made for what lies in it.
void RestorePlanner::mark_needed() {
  for (std::size_t i = found_.size(); i-- > 0;) {
    Found& found = found_[i];
    found.folder.needed |= found.folder.selected || !found.items.empty();
    if (i > 0 && found.folder.needed) found_[found.folder.parent].folder.needed = true;
  }
}

RestorePlan RestorePlanner::in_order() {
  RestorePlan plan;
  struct Next {
    std::uint32_t found;
    std::uint32_t parent;  // by its number in the plan
  };
  std::vector<Next> stack = {{0, 0}};
  while (!stack.empty()) {
    const Next next = stack.back();
    stack.pop_back();
    Found& found = found_[next.found];
    if (next.found != 0 && !found.folder.needed) continue;
    const auto number = static_cast<std::uint32_t>(plan.folders_.size());
    found.folder.parent = next.parent;
    plan.folders_.push_back(std::move(found.folder));
    for (const Node* node : found.items) {
      auto& items = node->type == NodeType::kFile ? plan.files_ : plan.others_;
      items.push_back({.node = node, .folder = number});
    }
    for (std::uint32_t child = found.child_count; child-- > 0;) {
      stack.push_back({found.first_child + child, number});
    }
  }
  return plan;
}

std::string RestorePlanner::location_of(std::uint32_t number) const {
  if (number == 0) return "/";
  std::string path;
  for (std::uint32_t i = number; i != 0; i = found_[i].folder.parent) {
    path.insert(0, "/" + std::string(found_[i].folder.node->name));
  }
  return path;
}

Result<RestorePlan> RestorePlan::make(Repository& repository, const BlobId& root,
                                      const RestoreOptions& options, const BulkOptions& bulk,
                                      const OnError& on_error) {
  return RestorePlanner(repository, options, bulk, on_error).plan(root);
}

std::string RestorePlan::location(std::uint32_t folder) const {
  if (folder == 0) return "/";
  std::string path;
  for (std::uint32_t i = folder; i != 0; i = folders_[i].parent) {
    path.insert(0, "/" + std::string(folders_[i].node->name));
  }
  return path;
}

std::string RestorePlan::location(const PlannedItem& item) const {
  return joined(location(item.folder), item.node->name);
}

}  // namespace restree
