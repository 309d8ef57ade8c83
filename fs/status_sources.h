// What stands behind a mount and counts something for its status: the server and the cache on disk.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "fs/mount_status.h"

namespace restree {

class BreakerStorage;
class DiskCache;

// Ownership: the function shares all of them. `cache` and `connections` may be null.
// Threads:   any may call it.
std::function<void(MountStatus&)> status_of(
    std::shared_ptr<const BreakerStorage> storage, std::shared_ptr<const DiskCache> cache,
    std::shared_ptr<const std::atomic<unsigned>> connections);

}  // namespace restree
