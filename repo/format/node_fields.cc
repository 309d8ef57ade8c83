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

constexpr std::array<std::pair<std::string_view, NodeType>, 7> kTypes = {{
    {"file", NodeType::kFile},
    {"dir", NodeType::kDirectory},
    {"symlink", NodeType::kSymlink},
    {"dev", NodeType::kBlockDevice},
    {"chardev", NodeType::kCharDevice},
    {"fifo", NodeType::kFifo},
    {"socket", NodeType::kSocket},
}};

constexpr std::uint32_t kSetuid = 1u << 23;
constexpr std::uint32_t kSetgid = 1u << 22;
constexpr std::uint32_t kSticky = 1u << 20;

std::uint32_t type_bits_of(NodeType type) {
  switch (type) {
    case NodeType::kFile:
      return 0;
    case NodeType::kDirectory:
      return 1u << 31;
    case NodeType::kSymlink:
      return 1u << 27;
    case NodeType::kBlockDevice:
      return 1u << 26;
    case NodeType::kCharDevice:
      return 1u << 26 | 1u << 21;
    case NodeType::kFifo:
      return 1u << 25;
    case NodeType::kSocket:
      return 1u << 24;
  }
  return 0;
}

}  // namespace

std::size_t field_named(std::string_view key, std::size_t next) {
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const std::size_t field = (next + i) % kFieldCount;
    if (kFieldNames[field] == key) return field;
  }
  return kFieldCount;
}

std::optional<NodeType> type_named(std::string_view name) {
  for (const auto& [known, type] : kTypes) {
    if (known == name) return type;
  }
  return std::nullopt;
}

std::string_view name_of(NodeType type) {
  for (const auto& [name, known] : kTypes) {
    if (known == type) return name;
  }
  return {};
}

std::uint16_t permissions_of(std::uint32_t go_mode) {
  std::uint32_t permissions = go_mode & 0777;
  if ((go_mode & kSetuid) != 0) permissions |= 04000;
  if ((go_mode & kSetgid) != 0) permissions |= 02000;
  if ((go_mode & kSticky) != 0) permissions |= 01000;
  return static_cast<std::uint16_t>(permissions);
}

std::uint32_t go_mode_of(NodeType type, std::uint16_t permissions) {
  std::uint32_t mode = type_bits_of(type) | (permissions & 0777u);
  if ((permissions & 04000) != 0) mode |= kSetuid;
  if ((permissions & 02000) != 0) mode |= kSetgid;
  if ((permissions & 01000) != 0) mode |= kSticky;
  return mode;
}

}  // namespace restree
