// The part of Mount that shows directories and links above the snapshots' trees, and decides where
// the links named `latest` lead.
//
// The kernel may keep the target of a link's inode, but looks up the name `latest` each time, or each
// second, for the thread that walks. So each target has an inode of its own, and which of them a process finds
// depends on the snapshot to which it has followed the link before.
#include <string>
#include <utility>

#include "fs/inode_numbers.h"
#include "fs/mount.h"

namespace restree {
namespace {

std::string last_component(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Result<std::shared_ptr<const VirtualNode>> Mount::virtual_node(std::uint64_t inode) const {
  const SnapshotList::Published now = snapshots_.newest();
  if (const VirtualNode* node = now.space->find(inode)) {
    return std::shared_ptr<const VirtualNode>(now.space, node);
  }
  if (auto known = known_nodes_.find(inode)) return known;
  return Error(ErrorKind::kNotFound, "no such file (any more)");
}

Result<Mount::Found> Mount::show_virtual(const VirtualNode& node, std::uint32_t generation,
                                         Deadline by) {
  Found found{node.inode, attributes_of(node, generation, options_.ownership), false};
  if (node.kind != VirtualNode::Kind::kSnapshot || !node.without_leading_path) return found;
  ASSIGN_OR_RETURN(const std::uint32_t number, view_of(node, by));
  const std::shared_ptr<const SnapshotView> shown = views_.at(number);
  if (const auto& own = shown->own) {
    found.attributes = attributes_of(own->node, node.inode, 0, options_.ownership);
  }
  // `cp -a` gives this mode to the folder in which it puts the content back, which may be private.
  if (shown->is_of_unknown_folder) found.attributes.st_mode &= ~mode_t{077};
  return found;
}

Result<std::optional<Mount::Found>> Mount::take_virtual(const SnapshotList::Published& now,
                                                        const VirtualNode& child, pid_t thread,
                                                        Deadline by) {
  if (child.kind != VirtualNode::Kind::kSymlink) {
    if (child.without_leading_path) views_ahead_.snapshot_is_shown(now.space, child);
    ASSIGN_OR_RETURN(Found found, show_virtual(child, now.generation, by));
    known_nodes_.remember(child);
    return std::optional(found);
  }
  const FollowedLinks::Followed followed =
      followed_links_.follow(thread, child.parent, {child.target_inode, child.target, child.time});
  ASSIGN_OR_RETURN(const VirtualNode link, link_to(followed.target, *now.space, child));
  ASSIGN_OR_RETURN(Found found, show_virtual(link, now.generation, by));
  found.by_process = true;
  if (followed.is_shared) found.shared_for = FollowedLinks::kShared;
  known_nodes_.remember(link);
  return std::optional(found);
}

Result<VirtualNode> Mount::link_to(const FollowedLinks::Target& followed, const Namespace& space,
                                   const VirtualNode& newest) {
  if (followed.snapshot == newest.target_inode) return newest;
  VirtualNode link = newest;
  link.target_inode = followed.snapshot;
  link.target = followed.name;
  link.time = followed.time;
  if (const VirtualNode* snapshot = space.find(followed.snapshot)) {
    // Its name depends on other snapshots of the same second, which come and go.
    link.target = last_component(snapshot->path);
  } else if (space.child(*space.find(newest.parent), followed.name) != nullptr) {
    // The link must not lead into another snapshot.
    return Error(ErrorKind::kNotFound, "the snapshot that this process has followed is forgotten");
  }
  const std::string identity = Namespace::link_identity(link.target);
  link.inode = virtual_inode(link.parent, identity);
  while (space.find(link.inode) != nullptr) link.inode = virtual_inode(link.inode, identity);
  return link;
}

}  // namespace restree
