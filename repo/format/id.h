// The SHA-256 names of a repository's things, one type each, so that they cannot be mixed up.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "repo/base/bytes.h"

namespace restree {

template <class Tag>
struct Id {
  std::array<std::byte, 32> bytes{};

  auto operator<=>(const Id&) const = default;

  static std::optional<Id> parse(std::string_view hex) {
    Id id;
    if (!from_hex(hex, id.bytes)) return std::nullopt;
    return id;
  }
  std::string hex() const { return to_hex(bytes); }
  // The first eight digits, as people see and type it.
  std::string short_hex() const { return to_hex(ByteView(bytes).first(4)); }
  bool is_null() const { return *this == Id{}; }
  // The first bytes, as a hash of the id: ids are hashes already.
  std::uint64_t prefix64() const {
    std::uint64_t value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
};

using BlobId = Id<struct BlobTag>;
using PackId = Id<struct PackTag>;
using IndexId = Id<struct IndexTag>;
using SnapshotId = Id<struct SnapshotTag>;
using RepositoryId = Id<struct RepositoryTag>;

enum class BlobType : std::uint8_t { kData, kTree };

inline std::string_view to_string(BlobType type) {
  return type == BlobType::kData ? "data" : "tree";
}

}  // namespace restree

template <class Tag>
struct std::hash<restree::Id<Tag>> {
  std::size_t operator()(const restree::Id<Tag>& id) const noexcept {
    return static_cast<std::size_t>(id.prefix64());
  }
};
