// What a cache takes on the disk and how often it had what was wanted, as all processes know it
// that use the cache, and the turn to change the cache, which one of them has at a time.
//
// The number is written before the cache grows by that much, and put right afterwards: who is
// killed in between leaves it too high, never too low. Whoever makes room counts anew anyway.
// Turns are locks on bytes of the file, which end with their process. Who waits for one holds a
// second byte, which everybody has to pass first: so nobody gets two turns while another waits.
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

  // Ends when it is destroyed, or with the process.
  class Turn {
   public:
    explicit Turn(CacheUsage& usage) : usage_(&usage) {}
    Turn(Turn&& other) noexcept : usage_(std::exchange(other.usage_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

    // nullopt: nobody has counted yet, or the file is damaged.
    std::optional<CacheCounts> counts() const;
    Status set(const CacheCounts& counts);

   private:
    CacheUsage* usage_;
  };
  Result<Turn> take_turn(Deadline by);

  // What was written last, without a turn: for lists.
  static std::optional<CacheCounts> look_at(const CacheFolder& folder);

 private:
  Status open();
  // False: another has it.
  Result<bool> lock(off_t byte) const;
  void unlock(off_t byte) const;
  bool is_current() const;

  const CacheFolder& folder_;
  UniqueFd fd_;
  bool is_next_ = false;  // holds the byte of who waits
};

}  // namespace restree
