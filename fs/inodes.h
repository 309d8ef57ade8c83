// The inodes that the kernel knows: for each, which entry of which directory it is.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "repo/base/guarded.h"
#include "repo/format/id.h"

namespace restree {

// One entry of a tree, seen through one view of one snapshot.
struct Place {
  std::uint64_t parent;    // inode of the directory that holds it
  std::uint32_t position;  // in that directory's tree
  std::uint32_t view;      // which view of which snapshot, as Mount numbers them

  bool operator==(const Place&) const = default;
};

// Ownership: a few words for an inode; no node, tree or name. A directory stays while an entry of
//            it is known, so that a place can always be followed up to its snapshot.
// Threads:   any.
// Limits:    what the kernel holds; freed as it forgets.
class Inodes {
 public:
  struct Known {
    Place place;
    // Directories: the tree of their entries. Null for other types and for damaged directories.
    BlobId subtree;
  };

  // Counts one more reference, which the kernel gets to the entry at `place`. `wanted` is the
  // number that the entry should have; the one returned differs only if another entry has that
  // already. `link_group`: entries with the same `wanted` number are one file under several names.
  std::uint64_t remember(std::uint64_t wanted, const Place& place, bool link_group,
                         const BlobId& subtree);

  std::optional<Known> find(std::uint64_t inode) const;

  // The kernel drops `count` references.
  void forget(std::uint64_t inode, std::uint64_t count);

  std::size_t size() const;

 private:
  struct Entry {
    Place place;
    std::uint64_t lookups = 0;   // references that the kernel holds
    std::uint32_t children = 0;  // entries here whose parent this is
    bool link_group = false;
    std::unique_ptr<BlobId> subtree;
  };
  using Entries = std::unordered_map<std::uint64_t, Entry>;
  static void release(Entries& entries, Entries::iterator unused);

  Guarded<Entries> entries_;
};

}  // namespace restree
