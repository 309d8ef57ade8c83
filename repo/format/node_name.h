// Node names as trees hold them: the inside of a Go string literal, so that JSON can carry any
// bytes. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace restree {

// A tree's JSON can carry zero bytes anywhere; Linux, and every C function, ends link targets, the
// names of attributes, users and groups at the first one. Such a text must not be handed on: what
// is left of it would be another target or name, and often a valid one.
inline bool holds_zero_byte(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

// Appends the bytes that `quoted` stands for to `name`. False, with `name` as far as it came, if
// Go's strconv.Unquote would refuse it: an unknown or short escape, a bare quote or a newline.
bool append_unquoted_name(std::string_view quoted, std::string& name);

// Why a directory cannot hold the name, as the end of a sentence about the node; nullptr if it can.
const char* objection_to_name(std::string_view name);
// Linux knows names of up to 255 bytes, other systems somewhat longer ones; the kernel refuses a
// whole listing that holds one longer than this.
inline constexpr std::size_t kLongestNodeName = 1023;

}  // namespace restree
