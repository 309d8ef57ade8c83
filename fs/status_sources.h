// What stands behind a mount and counts something for its status: the server, the cache on disk,
// and what is fetched ahead.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "fs/mount_status.h"

namespace restree {

class BreakerStorage;
class DiskCache;
class PackFetcher;

// Ownership: the function shares all of them. `cache`, `fetcher` and `connections` may be
//            null.
// Threads:   any may call it.
std::function<void(MountStatus&)> status_of(
    std::shared_ptr<const BreakerStorage> storage, std::shared_ptr<const DiskCache> cache,
    std::shared_ptr<const PackFetcher> fetcher,
    std::shared_ptr<const std::atomic<unsigned>> connections);

}  // namespace restree
