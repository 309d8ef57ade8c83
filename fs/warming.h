// Brings snapshots into the cache while they are mounted already: the option `warm=`.
//
// Ownership: owns a thread. The repository and the cache outlive it; the destructor stops it and
//            waits for the request that is under way, at most as long as `patience`.
// Threads:   one.
// Errors:    none: what cannot be had is told to the log.
#pragma once

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "cache/disk_cache.h"
#include "fs/namespace.h"
#include "repo/repository.h"

namespace restree {

class Warming {
 public:
  // `words`: APP or APP:SNAPSHOT, each by the names that the mount shows.
  Warming(Repository& repository, DiskCache& cache, std::vector<std::string> words,
          NamespaceOptions names, std::chrono::seconds patience);

 private:
  std::jthread thread_;
};

}  // namespace restree
