// The caches that lie below one folder, as people look at them and clear them away.
//
// Threads: any. Errors: kDenied, kLocalIo: what the system says.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/result.h"

namespace restree {

struct FoundCache {
  std::string repository_id;
  std::chrono::system_clock::time_point last_used;
};

// Those used longest ago first. A folder that is not there has none.
Result<std::vector<FoundCache>> list_caches(const std::string& base);

// What it takes on the disk; looks at every file.
std::uint64_t cache_bytes(const std::string& base, const FoundCache& cache);
// How often it had what was wanted, in percent; nullopt: nothing is known of that.
std::optional<unsigned> cache_hit_percent(const std::string& base, const FoundCache& cache);

// How many snapshots are pinned in it.
std::size_t cache_pins(const std::string& base, const FoundCache& cache);

Status remove_cache(const std::string& base, const FoundCache& cache);

}  // namespace restree
