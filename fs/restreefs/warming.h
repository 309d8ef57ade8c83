// Brings snapshots into the cache while they are mounted already: the option `warm=`.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cache/disk_cache.h"
#include "cache/snapshot_warmer.h"
#include "fs/namespace.h"
#include "repo/base/guarded.h"
#include "repo/repository.h"

namespace restree {

// How much of the snapshots is in the cache by now. Threads: any.
class WarmProgress {
 public:
  struct Bytes {
    std::uint64_t total = 0;  // grows while trees are read
    std::uint64_t done = 0;
  };
  Bytes bytes() const;
  // One snapshot at a time. `figures` must live until end(), which adds them to the total.
  void begin(const WarmFigures& figures) { state_.lock()->current = &figures; }
  void end();

 private:
  struct State {
    const WarmFigures* current = nullptr;
    Bytes before;
  };
  static Bytes sum(const State& state);

  Guarded<State> state_;
};

// Ownership: owns a thread. The repository and the cache outlive it; the destructor stops it and
//            waits for the request that is under way, at most as long as `patience`.
// Threads:   one.
// Errors:    none: failures are logged.
class Warming {
 public:
  // `words`: APP or APP:SNAPSHOT, each by the names that the mount shows.
  Warming(Repository& repository, DiskCache& cache, std::vector<std::string> words,
          NamespaceOptions names, std::chrono::seconds patience,
          std::shared_ptr<WarmProgress> progress);

 private:
  std::jthread thread_;
};

}  // namespace restree
