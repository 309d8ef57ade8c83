// The order in which indexes keep blobs: by id, first byte first.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "repo/format/id.h"

namespace restree {

// The first eight bytes as a number that sorts as the id does.
inline std::uint64_t sort_prefix(const BlobId& id) {
  std::uint64_t value = id.prefix64();
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap64(value);
  return value;
}

inline int compare_ids(const BlobId& a, const BlobId& b) {
  const std::uint64_t prefix_a = sort_prefix(a);
  const std::uint64_t prefix_b = sort_prefix(b);
  if (prefix_a != prefix_b) return prefix_a < prefix_b ? -1 : 1;
  return std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size());
}

}  // namespace restree
