// Finds and removes caches that were not used for many days.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cache/cache_list.h"
#include "tools/output/io.h"

namespace restree {

inline constexpr unsigned kOldCacheDays = 30;

unsigned days_since_use(const FoundCache& cache);
std::vector<FoundCache> old_caches(std::vector<FoundCache> caches, unsigned days);
// If a cache cannot be removed, prints a message and goes on with the others.
void remove_caches(const std::string& base, const std::vector<FoundCache>& caches, Io& io);

}  // namespace restree
