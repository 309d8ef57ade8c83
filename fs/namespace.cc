#include "fs/namespace.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "fs/hidden_files.h"
#include "fs/inode_numbers.h"
#include "repo/snapshots/app_sources.h"
#include "repo/snapshots/free_names.h"
#include "repo/snapshots/future_dates.h"

namespace restree {

std::vector<std::string> common_folder(const std::vector<std::string>& paths) {
  std::vector<std::string> common;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::vector<std::string> components = path_components(paths[i]);
    if (i == 0) {
      common = components;
      continue;
    }
    const auto differs =
        std::mismatch(common.begin(), common.end(), components.begin(), components.end());
    common.erase(differs.first, common.end());
  }
  return common;
}

namespace {

// The same text for snapshots that show the same. A change of tags stores a snapshot anew, under
// another id; its directories have to keep their inodes for programs that are in them.
std::string identity_of(const Snapshot& snapshot) {
  std::string identity = snapshot.original.value_or(snapshot.id).hex() + "\n" + snapshot.tree.hex();
  for (const std::string& path : snapshot.paths) identity += "\n" + path;
  return identity;
}

constexpr std::string_view kAppsView = "apps";

std::vector<PathTemplate> default_templates() {
  std::vector<PathTemplate> templates;
  for (const char* text : {"hosts/%h/%T", "ids/%i", "snapshots/%T", "tags/%t/%T"}) {
    templates.push_back(*PathTemplate::parse(text));
  }
  return templates;
}

}  // namespace

class NamespaceBuilder {
 public:
  NamespaceBuilder(std::shared_ptr<Namespace> into, const NamespaceOptions& options, Timestamp now)
      : space_(std::move(into)),
        options_(options),
        now_(now),
        templates_(options.path_templates.empty() ? default_templates() : options.path_templates),
        shows_apps_(std::ranges::none_of(
            templates_, [](const PathTemplate& t) { return t.begins_with(kAppsView); })) {
    VirtualNode root{};
    root.kind = VirtualNode::Kind::kDirectory;
    root.inode = root.parent = Namespace::kRootInode;
    space_->nodes_.emplace(root.inode, std::move(root));
  }

  // Snapshots must come oldest first: names and `latest` depend on it.
  void add_all(const std::vector<std::shared_ptr<const Snapshot>>& snapshots) {
    if (shows_apps_) place_in_apps(snapshots);
    for (const PathTemplate& view : templates_) folder_at(view.fixed_folders());
    for (const auto& snapshot : snapshots) place_in_views(snapshot);
    // After all directories are there: a snapshot may want the name of one, and must not hide it.
    for (const Placed& placed : placed_) place(placed);
  }

 private:
  // A snapshot and where it is to be shown.
  struct Placed {
    std::uint64_t parent;
    std::string name;
    std::shared_ptr<const Snapshot> snapshot;
    bool without_leading_path;
    bool with_latest;
  };

  void place_in_apps(const std::vector<std::shared_ptr<const Snapshot>>& snapshots) {
    const std::uint64_t apps_view = directory(Namespace::kRootInode, std::string(kAppsView));
    std::vector<const Snapshot*> plain;
    plain.reserve(snapshots.size());
    for (const auto& snapshot : snapshots) plain.push_back(snapshot.get());
    std::unordered_map<const Snapshot*, std::uint64_t> apps;
    for (const App& app : apps_of(plain)) {
      // The inode is the app's and not the name's, which another app may have later.
      const std::uint64_t inode =
          insert(apps_view, app.name, app.identity, VirtualNode::Kind::kDirectory).inode;
      for (const Snapshot* snapshot : app.snapshots) apps.emplace(snapshot, inode);
    }
    for (const auto& snapshot : snapshots) {
      want({apps.at(snapshot.get()), app_entry_name(*snapshot, options_.time_template), snapshot,
            true, true});
    }
  }

  void place_in_views(const std::shared_ptr<const Snapshot>& snapshot) {
    const std::string time = format_time(snapshot->time, options_.time_template).value_or("");
    for (const PathTemplate& view : templates_) {
      for (PathTemplate::Path& path : view.paths_of(*snapshot, time)) {
        const bool is_at_root = path.size() == 1;
        std::string name = is_at_root ? root_name(path.back()) : std::move(path.back());
        path.pop_back();
        want({folder_at(path), std::move(name), snapshot, false, view.ends_with_time()});
      }
    }
  }

  void want(Placed placed) {
    if (placed.with_latest) have_latest_.insert(placed.parent);
    placed_.push_back(std::move(placed));
  }

  // The name at the root for what a template calls `name`. What this mount itself has there keeps
  // its name; no other entry is called like the name with a '%', which entry_name() would escape.
  std::string root_name(const std::string& name) const {
    const bool is_taken = name == HiddenFiles::kFolderName || (shows_apps_ && name == kAppsView);
    return is_taken ? "%" + name : name;
  }

  // The directory that `path` leads to from the root.
  std::uint64_t folder_at(const PathTemplate::Path& path) {
    std::uint64_t inode = Namespace::kRootInode;
    for (std::size_t i = 0; i < path.size(); ++i) {
      inode = directory(inode, i == 0 ? root_name(path[i]) : path[i]);
    }
    return inode;
  }

  VirtualNode& node(std::uint64_t inode) { return space_->nodes_.at(inode); }

  // Adds a node below `parent`; its number hashes the parent's and `identity`.
  VirtualNode& insert(std::uint64_t parent, const std::string& name, std::string_view identity,
                      VirtualNode::Kind kind) {
    std::uint64_t inode = virtual_inode(parent, identity);
    while (space_->nodes_.contains(inode)) inode = virtual_inode(inode, identity);
    VirtualNode added{};
    added.kind = kind;
    added.inode = inode;
    added.parent = parent;
    added.path = node(parent).path.empty() ? name : node(parent).path + "/" + name;
    node(parent).children.emplace(name, inode);
    return space_->nodes_.emplace(inode, std::move(added)).first->second;
  }

  std::uint64_t directory(std::uint64_t parent, const std::string& name) {
    const auto& children = node(parent).children;
    const auto found = children.find(name);
    if (found != children.end()) return found->second;
    return insert(parent, name, name, VirtualNode::Kind::kDirectory).inode;
  }

  void touch(std::uint64_t inode, Timestamp time) {
    for (;;) {
      VirtualNode& touched = node(inode);
      touched.time = std::max(touched.time, time);
      if (touched.parent == inode) return;
      inode = touched.parent;
    }
  }

  void place(const Placed& placed) {
    const std::uint64_t parent = placed.parent;
    const auto& siblings = node(parent).children;
    const bool has_latest = have_latest_.contains(parent);
    const std::string free_name =
        free_names_[parent].find(placed.name, [&](const std::string& candidate) {
          return siblings.contains(candidate) || (has_latest && candidate == kLatestEntry);
        });
    VirtualNode& added =
        insert(parent, free_name, identity_of(*placed.snapshot), VirtualNode::Kind::kSnapshot);
    added.time = placed.snapshot->time;
    added.snapshot = placed.snapshot;
    added.without_leading_path = placed.without_leading_path;
    touch(parent, added.time);
    if (!placed.with_latest) return;
    const Timestamp time = placed.snapshot->time;
    if (!is_of_future(time, now_)) has_dated_right_.insert(parent);
    if (is_of_future(time, now_) && has_dated_right_.contains(parent)) return;
    point_latest(parent, free_name, added.inode, time);
  }

  void point_latest(std::uint64_t parent, const std::string& target, std::uint64_t target_inode,
                    Timestamp time) {
    auto& siblings = node(parent).children;
    if (const auto old = siblings.find(std::string(kLatestEntry)); old != siblings.end()) {
      if (node(old->second).kind == VirtualNode::Kind::kDirectory) return;  // a template's
      space_->nodes_.erase(old->second);
      siblings.erase(old);
    }
    VirtualNode& link = insert(parent, std::string(kLatestEntry), Namespace::link_identity(target),
                               VirtualNode::Kind::kSymlink);
    link.time = time;
    link.target = target;
    link.target_inode = target_inode;
  }

  const std::shared_ptr<Namespace> space_;
  const NamespaceOptions& options_;
  const Timestamp now_;
  const std::vector<PathTemplate> templates_;
  const bool shows_apps_;
  std::vector<Placed> placed_;
  std::unordered_set<std::uint64_t> have_latest_;            // directories
  std::unordered_set<std::uint64_t> has_dated_right_;        // with a snapshot not of the future
  std::unordered_map<std::uint64_t, FreeNames> free_names_;  // of each directory
};

std::shared_ptr<const Namespace> Namespace::build(
    std::vector<std::shared_ptr<const Snapshot>> snapshots, const NamespaceOptions& options,
    Timestamp now) {
  std::erase_if(snapshots,
                [&](const auto& snapshot) { return !options.filter.matches(*snapshot); });
  std::sort(snapshots.begin(), snapshots.end(), [](const auto& a, const auto& b) {
    return std::tie(a->time, a->id) < std::tie(b->time, b->id);
  });
  const std::shared_ptr<Namespace> space(new Namespace());
  NamespaceBuilder builder(space, options, now);
  builder.add_all(snapshots);
  return space;
}

std::string Namespace::link_identity(std::string_view target) {
  return fmt::format("{}\n{}", kLatestEntry, target);
}

const VirtualNode* Namespace::find(std::uint64_t inode) const {
  const auto found = nodes_.find(inode);
  return found == nodes_.end() ? nullptr : &found->second;
}

const VirtualNode* Namespace::child(const VirtualNode& directory, std::string_view name) const {
  const auto found = directory.children.find(std::string(name));
  return found == directory.children.end() ? nullptr : find(found->second);
}

void Namespace::for_each(const std::function<void(const VirtualNode&)>& visit) const {
  for (const auto& [inode, node] : nodes_) visit(node);
}

}  // namespace restree
