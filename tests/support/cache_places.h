// Places in packs, and bytes to lie there, for tests of caches.
#pragma once

#include <cstdint>
#include <string>

#include "repo/repository_cache.h"
#include "tests/support/files.h"

namespace restree::testing {

inline PackId pack_number(unsigned number) {
  PackId id{};
  id.bytes[0] = static_cast<std::byte>(number);
  id.bytes[1] = static_cast<std::byte>(number >> 8);
  id.bytes[31] = std::byte{1};
  return id;
}

inline SealedPlace place_in(unsigned pack, std::uint64_t offset, std::uint64_t length,
                            BlobType type = BlobType::kData) {
  return {.pack = pack_number(pack), .type = type, .range = {.offset = offset, .length = length}};
}

// The same bytes for the same place, as no other place has them.
inline std::string content_of(const SealedPlace& place) {
  const auto seed = std::to_integer<std::uint64_t>(place.pack.bytes[0]) << 40 |
                    std::to_integer<std::uint64_t>(place.pack.bytes[1]) << 48 | place.range.offset;
  return random_bytes(seed + 1, place.range.length);
}

}  // namespace restree::testing
