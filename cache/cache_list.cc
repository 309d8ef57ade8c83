#include "cache/cache_list.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "cache/cache_folder.h"
#include "cache/cache_pins.h"
#include "cache/cache_usage.h"
#include "cache/location_notes.h"
#include "repo/storage/storage.h"

namespace restree {

namespace files = std::filesystem;

Result<std::vector<FoundCache>> list_caches(const std::string& base) {
  std::vector<FoundCache> caches;
  std::error_code failed;
  files::directory_iterator entry(base, failed);
  if (failed == std::errc::no_such_file_or_directory) return caches;
  for (; !failed && entry != files::directory_iterator(); entry.increment(failed)) {
    std::string name = entry->path().filename().string();
    struct stat attributes {};
    if (!is_repository_name(name) || ::lstat(entry->path().c_str(), &attributes) != 0 ||
        !S_ISDIR(attributes.st_mode)) {
      continue;
    }
    const auto used = std::chrono::seconds(attributes.st_mtim.tv_sec);
    caches.push_back({std::move(name), std::chrono::system_clock::time_point(used)});
  }
  if (failed) return errno_error(failed.value(), "list " + base);
  std::ranges::sort(caches, {}, [](const FoundCache& cache) { return cache.last_used; });
  return caches;
}

std::uint64_t cache_bytes(const std::string& base, const FoundCache& cache) {
  const auto folder = CacheFolder::look_at(base + "/" + cache.repository_id);
  if (!folder) return 0;
  std::uint64_t sum = 0;
  for (const CachedFile& file : folder->scan()) sum += file.bytes;
  return sum;
}

std::optional<unsigned> cache_hit_percent(const std::string& base, const FoundCache& cache) {
  const auto folder = CacheFolder::look_at(base + "/" + cache.repository_id);
  const auto counts = folder ? CacheUsage::look_at(*folder) : std::nullopt;
  if (!counts || counts->hits + counts->misses == 0) return std::nullopt;
  return static_cast<unsigned>(100 * counts->hits / (counts->hits + counts->misses));
}

std::size_t cache_pins(const std::string& base, const FoundCache& cache) {
  const auto folder = CacheFolder::look_at(base + "/" + cache.repository_id);
  return folder ? pinned_snapshots(*folder).size() : 0;
}

Status remove_cache(const std::string& base, const FoundCache& cache) {
  std::error_code failed;
  const std::string path = base + "/" + cache.repository_id;
  files::remove_all(path, failed);
  if (failed) return errno_error(failed.value(), "remove " + path);
  forget_locations(base, cache.repository_id);
  return {};
}

}  // namespace restree
