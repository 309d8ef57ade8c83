// Matches one component of a path against one component of a pattern, as Go's filepath.Match does.
//
//   *       any characters but '/'        ?       any one character but '/'
//   [a-z]   one of these                  [^a-z]  one not among these
//   \c      the character c
//
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace restree {

// Whether `pattern` is well formed: no class is empty or unclosed, no backslash stands at the end.
bool is_glob(std::string_view pattern);

// Whether all of `name` fits `pattern`, which is_glob().
bool glob_matches(std::string_view pattern, std::string_view name);

// Lower case as by Go's strings.ToLower: every letter of Unicode. If the text is not all ASCII,
// bytes that are not UTF-8 become U+FFFD.
std::string to_lower(std::string_view text);

}  // namespace restree
