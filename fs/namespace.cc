#include "fs/namespace.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>

#include "fs/inode_numbers.h"
#include "repo/snapshots/app_sources.h"
#include "repo/snapshots/free_names.h"

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

}  // namespace

class NamespaceBuilder {
 public:
  NamespaceBuilder(std::shared_ptr<Namespace> into, const NamespaceOptions& options)
      : space_(std::move(into)), options_(options) {
    VirtualNode root{};
    root.kind = VirtualNode::Kind::kDirectory;
    root.inode = root.parent = Namespace::kRootInode;
    space_->nodes_.emplace(root.inode, std::move(root));
    apps_ = directory(Namespace::kRootInode, "apps");
    hosts_ = directory(Namespace::kRootInode, "hosts");
    ids_ = directory(Namespace::kRootInode, "ids");
    snapshots_ = directory(Namespace::kRootInode, "snapshots");
    tags_ = directory(Namespace::kRootInode, "tags");
  }

  // Snapshots must come oldest first: names and `latest` depend on it.
  void add_all(const std::vector<std::shared_ptr<const Snapshot>>& snapshots) {
    std::vector<const Snapshot*> plain;
    plain.reserve(snapshots.size());
    for (const auto& snapshot : snapshots) plain.push_back(snapshot.get());
    std::unordered_map<const Snapshot*, std::uint64_t> apps;
    for (const App& app : apps_of(plain)) {
      // The inode is the app's and not the name's, which another app may have later.
      const std::uint64_t inode =
          insert(apps_, app.name, app.identity, VirtualNode::Kind::kDirectory).inode;
      for (const Snapshot* snapshot : app.snapshots) apps.emplace(snapshot, inode);
    }
    for (const auto& snapshot : snapshots) add(snapshot, apps.at(snapshot.get()));
  }

 private:
  void add(const std::shared_ptr<const Snapshot>& snapshot, std::uint64_t app) {
    const std::string time =
        entry_name(format_time(snapshot->time, options_.time_template).value_or(""));
    place(app, app_entry_name(*snapshot, options_.time_template), snapshot, true, true);
    place(ids_, snapshot->id.short_hex(), snapshot, false, false);
    place(snapshots_, time, snapshot, false, true);
    place(directory(hosts_, entry_name(snapshot->hostname)), time, snapshot, false, true);
    // A tag may have been given twice.
    for (const std::string& tag :
         std::set<std::string>(snapshot->tags.begin(), snapshot->tags.end())) {
      place(directory(tags_, entry_name(tag)), time, snapshot, false, true);
    }
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

  void place(std::uint64_t parent, const std::string& name,
             const std::shared_ptr<const Snapshot>& snapshot, bool without_leading_path,
             bool with_latest) {
    const auto& siblings = node(parent).children;
    const std::string free_name = free_names_[parent].find(name, [&](const std::string& candidate) {
      return siblings.contains(candidate) || (with_latest && candidate == kLatestEntry);
    });
    VirtualNode& added =
        insert(parent, free_name, identity_of(*snapshot), VirtualNode::Kind::kSnapshot);
    added.time = snapshot->time;
    added.snapshot = snapshot;
    added.without_leading_path = without_leading_path;
    touch(parent, snapshot->time);
    if (with_latest) point_latest(parent, free_name, added.inode, snapshot->time);
  }

  void point_latest(std::uint64_t parent, const std::string& target, std::uint64_t target_inode,
                    Timestamp time) {
    auto& siblings = node(parent).children;
    if (const auto old = siblings.find(std::string(kLatestEntry)); old != siblings.end()) {
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
  std::unordered_map<std::uint64_t, FreeNames> free_names_;  // of each directory
  std::uint64_t apps_ = 0;
  std::uint64_t hosts_ = 0;
  std::uint64_t ids_ = 0;
  std::uint64_t snapshots_ = 0;
  std::uint64_t tags_ = 0;
};

std::shared_ptr<const Namespace> Namespace::build(
    std::vector<std::shared_ptr<const Snapshot>> snapshots, const NamespaceOptions& options) {
  std::erase_if(snapshots,
                [&](const auto& snapshot) { return !options.filter.matches(*snapshot); });
  std::sort(snapshots.begin(), snapshots.end(), [](const auto& a, const auto& b) {
    return std::tie(a->time, a->id) < std::tie(b->time, b->id);
  });
  const std::shared_ptr<Namespace> space(new Namespace());
  NamespaceBuilder builder(space, options);
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
