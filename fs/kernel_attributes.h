// Which of a node's extended attributes a program can get through Linux.
//
// Other systems have attributes that are larger than Linux allows: resource forks of macOS, streams
// of Samba and ZFS. A program that copies all attributes of a file would fail at such a one, and the
// file would not be copied.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "repo/format/tree.h"

namespace restree {

// XATTR_NAME_MAX, XATTR_SIZE_MAX and XATTR_LIST_MAX of Linux.
inline constexpr std::size_t kLongestAttributeName = 255;
inline constexpr std::size_t kLongestAttributeValue = 65536;
inline constexpr std::size_t kLongestAttributeList = 65536;  // names, each with a zero byte

// Why Linux cannot return the attribute, as the end of a sentence about it; nullopt if it can.
std::optional<std::string> objection_to_attribute(const ExtendedAttribute& attribute);

struct AttributeList {
  std::vector<std::string> names;
  std::string left_out;  // a sentence about the first attribute that is not in the list; or empty
};
// The names of those that Linux can return, in their order, as many as fit into one list.
AttributeList listed_attributes(std::span<const ExtendedAttribute> attributes);

}  // namespace restree
