#include "tools/session/old_caches.h"

#include <fmt/core.h>

namespace restree {

unsigned days_since_use(const FoundCache& cache) {
  const auto age = std::chrono::system_clock::now() - cache.last_used;
  const auto days = std::chrono::floor<std::chrono::days>(age).count();
  return days < 0 ? 0 : static_cast<unsigned>(days);
}

std::vector<FoundCache> old_caches(std::vector<FoundCache> caches, unsigned days) {
  std::erase_if(caches, [&](const FoundCache& cache) { return days_since_use(cache) < days; });
  return caches;
}

void remove_caches(const std::string& base, const std::vector<FoundCache>& caches, Io& io) {
  for (const FoundCache& cache : caches) {
    const Status removed = remove_cache(base, cache);
    if (!removed) io.err_line("unable to remove a cache: " + removed.error().message());
  }
}

}  // namespace restree
