// Layouts of times as Go writes them ("2006-01-02 15:04:05"), said in the words of strftime(3).
//
// A pure function; any thread.
#pragma once

#include <string>
#include <string_view>

#include "repo/base/result.h"

namespace restree {

// The format with which strftime(3) writes a time in UTC as Go's Time.Format writes it by `layout`;
// a zone is then always the same text. Fractions of seconds have no word there: kInvalid, as are a
// layout that is empty, or that has no word for a part of a time.
Result<std::string> strftime_of_go_layout(std::string_view layout);

}  // namespace restree
