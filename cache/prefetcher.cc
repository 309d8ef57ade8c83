#include "cache/prefetcher.h"

namespace restree {
namespace {

constexpr std::size_t kMostWaiting = 256;

}  // namespace

Prefetcher::Prefetcher(BlobCache& cache, std::size_t threads, std::size_t budget_bytes,
                       std::chrono::milliseconds time_limit)
    : cache_(cache),
      budget_bytes_(budget_bytes),
      time_limit_(time_limit),
      pool_(threads, kMostWaiting) {}

void Prefetcher::want(std::span<const Wanted> blobs) {
  for (const Wanted& blob : blobs) {
    if (cache_.knows(BlobType::kData, blob.id)) continue;
    if (pending_bytes_ + blob.size_bytes > budget_bytes_) return;
    pending_bytes_ += blob.size_bytes;
    const bool queued = pool_.try_submit([this, blob] {
      static_cast<void>(
          cache_.load(BlobType::kData, blob.id, Deadline::after(time_limit_)).has_value());
      pending_bytes_ -= blob.size_bytes;
    });
    if (!queued) {
      pending_bytes_ -= blob.size_bytes;
      return;
    }
  }
}

}  // namespace restree
