// The words and numbers in which a tree's JSON describes a node. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "repo/format/tree.h"

namespace restree {

// In the order in which every version writes them.
enum NodeField : std::size_t {
  kName,
  kType,
  kMode,
  kMtime,
  kAtime,
  kCtime,
  kUid,
  kGid,
  kUser,
  kGroup,
  kInode,
  kDeviceId,
  kSize,
  kLinks,
  kLinkTarget,
  kLinkTargetRaw,
  kXattrs,
  kDevice,
  kContent,
  kSubtree,
  kFieldCount,
};

// The field of that name, or kFieldCount. At once if it is `next`, a bet on the usual order.
std::size_t field_named(std::string_view key, std::size_t next);

std::optional<NodeType> type_named(std::string_view name);
std::string_view name_of(NodeType type);

// The mode's 07777 bits as st_mode has them: Go keeps rwx there and the three above elsewhere.
std::uint16_t permissions_of(std::uint32_t go_mode);
std::uint32_t go_mode_of(NodeType type, std::uint16_t permissions);

}  // namespace restree
