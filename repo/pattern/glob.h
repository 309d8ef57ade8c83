// One component of a path against one component of a pattern, as Go's filepath.Match does it.
//
//   *       any characters but '/'        ?       any one of them
//   [a-z]   one of these                  [^a-z]  one that is none of these
//   \c      the character c
//
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace restree {

// Whether `pattern` is one: no class is empty or open, no backslash at the end.
bool is_glob(std::string_view pattern);

// Whether all of `name` fits `pattern`, which is_glob().
bool glob_matches(std::string_view pattern, std::string_view name);

// Lower case as Go's strings.ToLower has it: every letter of Unicode; what is not UTF-8 becomes
// U+FFFD where there is anything but ASCII.
std::string to_lower(std::string_view text);

}  // namespace restree
