// The caches below one folder, for `restree cache` to list and remove.
//
// Threads: any. Errors: kDenied, kLocalIo: a system call failed.
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

// The caches used longest ago come first. A missing folder gives an empty list.
Result<std::vector<FoundCache>> list_caches(const std::string& base);

// The disk space that the cache takes; looks at every file.
std::uint64_t cache_bytes(const std::string& base, const FoundCache& cache);
// Hits of all lookups, in percent; nullopt if none were counted.
std::optional<unsigned> cache_hit_percent(const std::string& base, const FoundCache& cache);

// How many snapshots are pinned in the cache.
std::size_t cache_pins(const std::string& base, const FoundCache& cache);

Status remove_cache(const std::string& base, const FoundCache& cache);

}  // namespace restree
