#include "repo/format/node_fields.h"

#include <array>
#include <utility>

namespace restree {
namespace {

constexpr std::array<std::string_view, kFieldCount> kFieldNames = {
    "name",
    "type",
    "mode",
    "mtime",
    "atime",
    "ctime",
    "uid",
    "gid",
    "user",
    "group",
    "inode",
    "device_id",
    "size",
    "links",
    "linktarget",
    "linktarget_raw",
    "extended_attributes",
    "device",
    "content",
    "subtree",
};

}  // namespace

std::size_t field_named(std::string_view key, std::size_t next) {
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const std::size_t field = (next + i) % kFieldCount;
    if (kFieldNames[field] == key) return field;
  }
  return kFieldCount;
}

std::optional<NodeType> type_named(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, NodeType>, 7> kTypes = {{
      {"file", NodeType::kFile},
      {"dir", NodeType::kDirectory},
      {"symlink", NodeType::kSymlink},
      {"dev", NodeType::kBlockDevice},
      {"chardev", NodeType::kCharDevice},
      {"fifo", NodeType::kFifo},
      {"socket", NodeType::kSocket},
  }};
  for (const auto& [known, type] : kTypes) {
    if (known == name) return type;
  }
  return std::nullopt;
}

std::uint16_t permissions_of(std::uint32_t go_mode) {
  constexpr std::uint32_t kSetuid = 1u << 23;
  constexpr std::uint32_t kSetgid = 1u << 22;
  constexpr std::uint32_t kSticky = 1u << 20;
  std::uint32_t permissions = go_mode & 0777;
  if ((go_mode & kSetuid) != 0) permissions |= 04000;
  if ((go_mode & kSetgid) != 0) permissions |= 02000;
  if ((go_mode & kSticky) != 0) permissions |= 01000;
  return static_cast<std::uint16_t>(permissions);
}

}  // namespace restree
