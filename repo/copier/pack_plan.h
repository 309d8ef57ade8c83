// Which packs of a repository go whole into another one, and which blobs go singly.
//
// A pack goes whole if every blob in it is wanted, and none is in a pack that goes whole already. Of
// all other packs the wanted blobs go singly.
//
// Pure functions of values; any thread.
// Limits: 4 bytes and a bit for each blob of the index, and 4 for each that goes singly.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "repo/index/index.h"
#include "repo/index/pack_contents.h"

namespace restree {

// The number of the first snapshot that needs a blob which the destination lacks; they are copied in
// the order of these numbers.
using CopyTurn = std::uint32_t;
inline constexpr CopyTurn kNotWanted = std::numeric_limits<CopyTurn>::max();

// What is copied for one snapshot.
struct CopyPart {
  std::vector<std::uint32_t> packs;  // their numbers in the index, in order
  std::vector<std::uint32_t>
      singly;  // positions of blobs in the index, in the order of their packs
};

// `turns`: for each entry that is the first of its blob in the index, whose turn it is; others are
// not looked at. A pack has the turn of the snapshot that needs it first. Returns the parts of the
// turns from 0 to `count` - 1.
std::vector<CopyPart> plan_packs(const Index& index, const PackContents& contents,
                                 std::span<const CopyTurn> turns, std::size_t count);

}  // namespace restree
