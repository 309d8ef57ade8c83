// The parts behind a mount whose counts its status shows: the server, the cache on disk, the
// fetcher, warming, and what is kept for `restree audit`.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "fs/report/mount_status.h"

namespace restree {

class BreakerStorage;
class DiskCache;
class PackFetcher;
class RepeatedVisits;
class SecondRepository;
class WarmProgress;

// All but `storage` may be null.
struct StatusSources {
  std::shared_ptr<const BreakerStorage> storage;
  std::shared_ptr<const DiskCache> cache;
  std::shared_ptr<const PackFetcher> fetcher;
  std::shared_ptr<const std::atomic<unsigned>> connections;
  std::shared_ptr<const WarmProgress> warmed;
  std::shared_ptr<const SecondRepository> second = {};
  std::shared_ptr<const RepeatedVisits> visits = {};
};

// Ownership: the function shares all of them. Threads: any may call it.
std::function<void(MountStatus&)> status_of(StatusSources sources);

}  // namespace restree
