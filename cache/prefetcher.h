// Loads blobs that will probably be wanted soon, in the background, without delaying readers.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "cache/blob_room.h"
#include "repo/base/thread_pool.h"

namespace restree {

// Ownership: the room must outlive it; owns its threads.
// Threads:   any.
// Limits:    `threads` loads at a time, about `budget_bytes` of plain blobs waiting or loading;
//            blobs beyond that are not prefetched, nor those for which the room has no place.
// Errors:    none: a reader that wants a blob whose prefetch failed loads it again.
class Prefetcher {
 public:
  struct Wanted {
    BlobId id;
    std::size_t size_bytes;
    // The reader that will come to it, and where in that file the blob begins (BlobRoom::Way).
    std::uint64_t reader = 0;
    std::uint64_t offset = 0;
  };

  // `time_limit`: the same as that of readers, since a reader may wait for a load that begins here.
  Prefetcher(BlobRoom& room, std::size_t threads, std::size_t budget_bytes,
             std::chrono::milliseconds time_limit);

  std::size_t budget_bytes() const { return budget_bytes_; }

  // `blobs`: data blobs only, in the order in which they will be read.
  void want(std::span<const Wanted> blobs);

 private:
  void load(std::span<const Wanted> batch);

  BlobRoom& room_;
  const std::size_t budget_bytes_;
  const std::chrono::milliseconds time_limit_;
  std::atomic<std::size_t> pending_bytes_ = 0;
  ThreadPool pool_;
};

}  // namespace restree
