#include "fs/inodes.h"

#include "fs/inode_numbers.h"

namespace restree {
namespace {

bool same_entry(const Place& a, const Place& b) {
  return a.parent == b.parent && a.position == b.position && a.view == b.view;
}

}  // namespace

std::uint64_t Inodes::remember(std::uint64_t wanted, const Place& place, bool link_group,
                               const BlobId& subtree) {
  auto entries = entries_.lock();
  std::uint64_t inode = wanted;
  // All names of a link group must try the same numbers. One is added since mix64(0) is 0, so that
  // the search always moves on.
  const std::uint64_t step = std::uint64_t{link_group ? place.view : place.position} + 1;
  for (;; inode = mix64(inode + step) & ~kVirtualBit) {
    if (inode <= 1) continue;
    const auto [found, added] = entries->try_emplace(inode);
    Entry& entry = found->second;
    if (added) {
      entry.place = place;
      entry.link_group = link_group;
      if (!subtree.is_null()) entry.subtree = std::make_unique<BlobId>(subtree);
      entry.lookups = 1;
      if (const auto parent = entries->find(place.parent); parent != entries->end()) {
        ++parent->second.children;
      }
      return inode;
    }
    const bool same = link_group ? entry.link_group && entry.place.view == place.view
                                 : !entry.link_group && same_entry(entry.place, place);
    if (same) {
      ++entry.lookups;
      return inode;
    }
  }
}

std::optional<Inodes::Known> Inodes::find(std::uint64_t inode) const {
  auto entries = entries_.lock();
  const auto found = entries->find(inode);
  if (found == entries->end()) return std::nullopt;
  const Entry& entry = found->second;
  return Known{entry.place, entry.subtree == nullptr ? BlobId{} : *entry.subtree};
}

void Inodes::forget(std::uint64_t inode, std::uint64_t count) {
  auto entries = entries_.lock();
  const auto found = entries->find(inode);
  if (found == entries->end()) return;
  Entry& entry = found->second;
  entry.lookups -= count < entry.lookups ? count : entry.lookups;
  release(*entries, found);
}

// Drops an entry without references, and then each directory above that only it kept.
void Inodes::release(Entries& entries, Entries::iterator unused) {
  while (unused != entries.end() && unused->second.lookups == 0 && unused->second.children == 0) {
    const std::uint64_t parent = unused->second.place.parent;
    entries.erase(unused);
    unused = entries.find(parent);
    if (unused != entries.end()) --unused->second.children;
  }
}

std::size_t Inodes::size() const { return entries_.lock()->size(); }

}  // namespace restree
