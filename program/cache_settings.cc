#include "program/cache_settings.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "cache/disk_cache.h"
#include "repo/base/log.h"
#include "repo/base/path.h"
#include "repo/repository.h"
#include "repo/system/environment.h"

namespace restree {
namespace {

constexpr std::uint64_t kLeastSize = std::uint64_t{1} << 20;

Status take_size(const std::string& value, CacheSettings& settings) {
  ASSIGN_OR_RETURN(settings.limits.size_bytes, parse_size("cache_size", value));
  if (settings.limits.size_bytes < kLeastSize) {
    return bad_value("cache_size", value, "must be at least 1M; no_cache turns the cache off");
  }
  return {};
}

// "20%" of the disk, or a size.
Status take_min_free(const std::string& value, CacheSettings& settings) {
  CacheLimits& limits = settings.limits;
  limits.least_free_bytes = 0;
  limits.least_free_percent = 0;
  if (!value.ends_with('%')) {
    ASSIGN_OR_RETURN(limits.least_free_bytes, parse_size("cache_min_free", value));
    return {};
  }
  ASSIGN_OR_RETURN(const std::uint64_t percent,
                   parse_number("cache_min_free", value.substr(0, value.size() - 1)));
  if (percent > 100) return bad_value("cache_min_free", value, "must be at most 100%");
  limits.least_free_percent = static_cast<unsigned>(percent);
  return {};
}

}  // namespace

const OptionTable<CacheSettings>& cache_limit_options() {
  static const OptionTable<CacheSettings> table = {{"cache_size", true, take_size},
                                                   {"cache_min_free", true, take_min_free}};
  return table;
}

Result<std::string> cache_base(const CacheSettings& settings) {
  std::string folder = settings.folder;
  if (folder.empty()) folder = environment_variable("RESTIC_CACHE_DIR");
  if (folder.empty()) folder = environment_variable("XDG_CACHE_HOME");
  if (folder.empty()) {
    const std::string home = home_folder();
    if (home.empty()) return Error(ErrorKind::kInvalid, "neither HOME nor XDG_CACHE_HOME is set");
    folder = home + "/.cache";
  }
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(folder, failed);
  if (failed) return Error(ErrorKind::kInvalid, folder + ": " + failed.message());
  return join_path(clean_path(absolute.string()), "restree");
}

std::optional<CachePlace> find_cache(const CacheSettings& settings, bool is_far) {
  if (settings.off || (!is_far && settings.folder.empty())) return std::nullopt;
  Result<std::string> base = cache_base(settings);
  if (base) return CachePlace{std::move(*base), settings.limits};
  log::warning("the cache on disk is not used: {}", base.error().message());
  return std::nullopt;
}

std::shared_ptr<DiskCache> attach_cache(Repository& repository, const CachePlace& place) {
  Result<std::shared_ptr<DiskCache>> cache =
      DiskCache::open(place.base, repository.config().id.hex(), place.limits);
  if (!cache) {
    log::warning("the cache on disk is not used: {}", cache.error().message());
    return nullptr;
  }
  repository.use_cache(*cache);
  return *cache;
}

}  // namespace restree
