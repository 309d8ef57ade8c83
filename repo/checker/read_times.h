// When each pack of a repository was last read and found right, on this machine.
//
//   file := "restree packs read 1\n" (id:hex[64] " " seconds since 1970:decimal "\n")*
//
// Threads: one at a time for a path. The file of two checks at once is that of the later one.
// Errors:  kCorrupt: the file is not of that form. Others: those of the local disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "repo/base/result.h"
#include "repo/format/id.h"

namespace restree {

using ReadTimes = std::unordered_map<PackId, std::int64_t>;

// Nothing if the file is not there.
Result<ReadTimes> load_read_times(const std::string& path);
Status save_read_times(const std::string& path, const ReadTimes& times);

// Of all packs of a repository.
struct ReadAges {
  std::size_t packs = 0;
  std::size_t never_read = 0;
  std::optional<std::int64_t> oldest = std::nullopt;  // of those that were
};
ReadAges ages_of(const std::vector<PackId>& packs, const ReadTimes& times);

}  // namespace restree
