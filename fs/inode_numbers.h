// Inode numbers that are the same at every mount.
//
// An entry of a backed-up directory is numbered after its directory and its position in it, so that
// programs which read a directory in order of inode numbers (cp, find on large directories) read it
// in the order in which its data lies in the packs. Numbers can collide (43 bits of hash); the code
// that hands them out must check for that. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "repo/base/name_hash.h"

namespace restree {

// Numbers of directories and links above the snapshots have this bit; numbers of nodes do not.
inline constexpr std::uint64_t kVirtualBit = std::uint64_t{1} << 63;

constexpr bool is_virtual(std::uint64_t inode) { return inode == 1 || (inode & kVirtualBit) != 0; }

constexpr std::uint64_t virtual_inode(std::uint64_t parent, std::string_view identity) {
  return hash_name(parent, identity) | kVirtualBit;
}

inline constexpr std::uint64_t kPositionBits = 20;

constexpr std::uint64_t entry_inode(std::uint64_t directory, std::uint32_t position) {
  const std::uint64_t hash = mix64(directory ^ 0xd6e8feb86659fd93);
  if (position >> kPositionBits != 0) return mix64(hash + position) & ~kVirtualBit;
  return (hash << kPositionBits | position) & ~kVirtualBit;
}

}  // namespace restree
