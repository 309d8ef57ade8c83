// The file that all processes that use a cache share: it holds the cache's size and its hits and
// misses, and it hands out the turn to change the cache, which one process has at a time.
//
// The new size is written before the cache grows and corrected afterwards: a process killed in
// between leaves the number too high, never too low. Eviction counts the files again anyway.
// A turn is a lock on one byte of the file, which ends with its process. A process that waits for
// the turn holds the lock on a second byte, which every process must take first: so no process gets
// two turns while another waits.
//
// Ownership: the folder must outlive it. Threads: one.
// Errors:    kNotFound: the cache was deleted. kUnavailable: another process did not end its turn
//            in time. kDenied, kLocalIo: the file cannot be opened or written.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "cache/cache_folder.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

struct CacheCounts {
  std::uint64_t bytes = 0;  // on the disk
  std::uint64_t hits = 0;   // of all users, since the cache was made
  std::uint64_t misses = 0;
};

class CacheUsage {
 public:
  explicit CacheUsage(const CacheFolder& folder) : folder_(folder) {}

  // The turn ends when this is destroyed, or with the process.
  class Turn {
   public:
    explicit Turn(CacheUsage& usage) : usage_(&usage) {}
    Turn(Turn&& other) noexcept : usage_(std::exchange(other.usage_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

    // nullopt: no count was written yet, or the file is damaged.
    std::optional<CacheCounts> counts() const;
    Status set(const CacheCounts& counts);

   private:
    CacheUsage* usage_;
  };
  Result<Turn> take_turn(Deadline by);

  // The counts written last, read without a turn: for listing caches.
  static std::optional<CacheCounts> look_at(const CacheFolder& folder);

 private:
  Status open();
  // False: another process holds it.
  Result<bool> lock(off_t byte) const;
  void unlock(off_t byte) const;
  bool is_current() const;

  const CacheFolder& folder_;
  UniqueFd fd_;
  bool is_next_ = false;  // holds the second byte, so the next turn is ours
};

}  // namespace restree
