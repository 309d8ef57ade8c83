// The part of scrypt that takes its time and memory: the mixing of one of its p lanes.
//
// Here and not from a library: lanes do not depend on each other, and no library of Debian's mixes several
// at once or gives out less than the whole derivation.
//
// Threads: any; pure. Lanes of one derivation may be mixed at the same time.
// Format:  scryptROMix of RFC 7914, section 5. N is a power of two below 2^32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "repo/base/bytes.h"

namespace restree {

constexpr std::uint64_t scrypt_lane_bytes(std::uint32_t r) { return std::uint64_t{128} * r; }

// Which of the N entries are kept: all, or each second one, from which the one behind it is computed anew
// when it is needed. That takes a quarter more of work, half of the memory, and less waiting for it.
enum class ScryptTable : std::uint8_t { kWhole, kHalf };

// What mixing a lane takes beside the lane: the entries, and three more for what is under way.
constexpr std::uint64_t scrypt_table_bytes(std::uint64_t n, std::uint32_t r, ScryptTable kept) {
  return ((kept == ScryptTable::kHalf ? (n + 1) / 2 : n) + 3) * scrypt_lane_bytes(r);
}

// Mixes `lane`, of scrypt_lane_bytes(), in place. `table`, of scrypt_table_bytes() and aligned to 16
// bytes, may hold anything before, and holds secrets after it.
void mix_scrypt_lane(MutableByteView lane, MutableByteView table, std::uint64_t n, std::uint32_t r,
                     ScryptTable kept);

}  // namespace restree
