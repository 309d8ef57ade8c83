// The part of Mount that lists directories.
#include <algorithm>
#include <iterator>
#include <memory>
#include <span>

#include "fs/inode_numbers.h"
#include "fs/mount.h"

namespace restree {
namespace {

// The parts of an offset into a listing of a directory that changes: above, the generation of the
// namespace in which the listing began; below, the count of entries that were listed.
constexpr std::uint64_t kCountBits = 32;
constexpr std::uint64_t kGenerationsOfOffsets =
    (std::uint64_t{1} << SnapshotList::kGenerationBits) - 1;

Error no_such_directory() { return {ErrorKind::kNotFound, "no such directory (any more)"}; }

}  // namespace

Status Mount::list(std::uint64_t directory, std::uint64_t offset, bool with_attributes,
                   Listing& listing) {
  if (hidden_files_.holds(directory)) {
    hidden_files_.list(offset, listing);
    return {};
  }
  if (is_virtual(directory)) {
    const auto node = virtual_node(directory);
    if (!node) return no_such_directory();
    if ((*node)->kind == VirtualNode::Kind::kDirectory) {
      return list_virtual(directory, offset, listing);
    }
  }
  return list_tree(directory, offset, with_attributes, listing, deadline());
}

Status Mount::list_virtual(std::uint64_t directory, std::uint64_t offset, Listing& listing) {
  const SnapshotList::Published listed =
      offset == 0 ? snapshots_.newest()
                  : snapshots_.of_generation(static_cast<std::uint32_t>(offset >> kCountBits));
  const Namespace& space = *listed.space;
  const VirtualNode* node = space.find(directory);
  if (node == nullptr) return no_such_directory();
  if (offset == 0) views_ahead_.directory_is_listed(directory);

  std::uint64_t count = offset & ((std::uint64_t{1} << kCountBits) - 1);
  const std::uint64_t base = (listed.generation & kGenerationsOfOffsets) << kCountBits;
  const auto add = [&](std::string_view name, std::uint64_t inode, mode_t type) {
    if (!listing.has_room(name)) return false;
    listing.add(name, inode, type, std::nullopt, base + ++count);
    return true;
  };
  if (count == 0 && !add(".", node->inode, S_IFDIR)) return {};
  if (count == 1 && !add("..", node->parent, S_IFDIR)) return {};
  auto child = node->children.begin();
  std::advance(child, std::min<std::uint64_t>(count - 2, node->children.size()));
  for (; child != node->children.end(); ++child) {
    const VirtualNode* entry = space.find(child->second);
    const bool is_link = entry->kind == VirtualNode::Kind::kSymlink;
    if (!add(child->first, child->second, is_link ? S_IFLNK : S_IFDIR)) return {};
  }
  return {};
}

Status Mount::list_tree(std::uint64_t directory, std::uint64_t offset, bool with_attributes,
                        Listing& listing, Deadline by) {
  ASSIGN_OR_RETURN(const Directory where, directory_of(directory, by));
  ASSIGN_OR_RETURN(const SharedCompactTree tree, load_tree(directory, where.tree, by));

  if (offset == 0) reading_ahead_.directory_is_listed(*tree);
  std::uint64_t next = offset;
  for (const std::string_view dots : {std::string_view("."), std::string_view("..")}) {
    if (next >= dots.size()) continue;
    if (!listing.has_room(dots)) return {};
    listing.add(dots, directory, S_IFDIR, std::nullopt, ++next);
  }
  const CompactTree::Nodes nodes = tree->nodes();
  for (std::uint64_t i = next - 2; i < nodes.size(); ++i) {
    const Node node = nodes[memory_size(i)];
    if (!listing.has_room(node.name)) return {};
    const auto position = static_cast<std::uint32_t>(i);
    // A directory that contains itself is listed by name, and refused when looked up.
    if (with_attributes && !(node.subtree && is_own_ancestor(directory, *node.subtree))) {
      const Found found = take(directory, where, node, position);
      listing.add(node.name, found.inode, found.attributes.st_mode, found, i + 3);
    } else {
      const struct stat shown = attributes_of(node, 0, 0, options_.ownership);
      listing.add(node.name, number_of(directory, where, node, position), shown.st_mode,
                  std::nullopt, i + 3);
    }
  }
  return {};
}

}  // namespace restree
