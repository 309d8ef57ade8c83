// Loads blobs that will probably be wanted soon, beside the readers and never in their way.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <span>

#include "cache/blob_cache.h"
#include "repo/base/thread_pool.h"

namespace restree {

// Ownership: the cache must outlive it; owns its threads.
// Threads:   any.
// Limits:    `threads` loads at a time, at most `budget_bytes` of plain blobs waiting or loading;
//            what exceeds that is not prefetched.
// Errors:    none: a failed prefetch is found out by the reader who wants the blob.
class Prefetcher {
 public:
  struct Wanted {
    BlobId id;
    std::size_t size_bytes;
  };

  // `time_limit` is that of the readers, who may come to wait for what is loaded here.
  Prefetcher(BlobCache& cache, std::size_t threads, std::size_t budget_bytes,
             std::chrono::milliseconds time_limit);

  std::size_t budget_bytes() const { return budget_bytes_; }

  // In the order in which they will be read. Data blobs only.
  void want(std::span<const Wanted> blobs);

 private:
  void load(std::span<const Wanted> batch);

  BlobCache& cache_;
  const std::size_t budget_bytes_;
  const std::chrono::milliseconds time_limit_;
  std::atomic<std::size_t> pending_bytes_ = 0;
  ThreadPool pool_;
};

}  // namespace restree
