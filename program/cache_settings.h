// The options about the cache on disk that both programs take, and the cache that they give a
// repository.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cache/cache_limits.h"
#include "program/named_option.h"
#include "repo/base/result.h"

namespace restree {

class DiskCache;
class Repository;

struct CacheSettings {
  std::string folder;  // empty: as the environment says
  bool off = false;
  CacheLimits limits;
};

// cache_size, cache_min_free.
const OptionTable<CacheSettings>& cache_limit_options();

// The folder below which all caches of ours lie: `restree` in the folder that the settings name,
// or else in $RESTIC_CACHE_DIR, $XDG_CACHE_HOME or ~/.cache. A folder of its own, since restic's
// caches may lie beside it. Absolute. kInvalid: neither settings nor environment name a folder.
Result<std::string> cache_base(const CacheSettings& settings);

struct CachePlace {
  std::string base;
  CacheLimits limits;
};
// Where the cache of a repository is to be; nullopt: it is to have none. A repository that is not
// far away has one only if a folder for it is named: a cache gains nothing there.
std::optional<CachePlace> find_cache(const CacheSettings& settings, bool is_far);

// Gives the repository its cache. If that fails, the log says why, and the repository is used
// without one: nullptr.
std::shared_ptr<DiskCache> attach_cache(Repository& repository, const CachePlace& place);

}  // namespace restree
