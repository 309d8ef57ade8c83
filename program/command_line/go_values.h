// Values of options, read as restic reads them: by Go's strconv, time and encoding/csv, in whose
// words they are refused.
//
// Pure functions; any thread.
// Errors: kInvalid, whose message is what Go's own error would say.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"

namespace restree {

// strconv.Quote: in double quotes, with escapes for what cannot be printed.
std::string go_quoted(std::string_view text);

// strconv.ParseInt and strconv.ParseUint with base 0 and 64 bits: 10, 0x10, 0b1, 0o7, 07, 1_000.
Result<std::int64_t> parse_go_int(std::string_view text);
Result<std::uint64_t> parse_go_uint(std::string_view text);

// strconv.ParseBool: 1, t, T, true, TRUE, True, and the same for false.
Result<bool> parse_go_bool(std::string_view text);

// time.ParseDuration, for spans of up to 292 years: 5m, 1h30m, 1.5s, -2s.
Result<std::chrono::nanoseconds> parse_go_duration(std::string_view text);

// The first record of encoding/csv: a,b or "a,b",c. An empty text has no fields.
Result<std::vector<std::string>> parse_go_csv(std::string_view text);

}  // namespace restree
