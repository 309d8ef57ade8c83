#include "cache/prefetcher.h"

#include <vector>

namespace restree {
namespace {

constexpr std::size_t kMostBatches = 256;
// Small blobs are passed to a thread in batches: waking a thread costs more than
// loading one of them.
constexpr std::size_t kBatchBytes = 256 << 10;

}  // namespace

Prefetcher::Prefetcher(BlobRoom& room, std::size_t threads, std::size_t budget_bytes,
                       std::chrono::milliseconds time_limit)
    : room_(room),
      budget_bytes_(budget_bytes),
      time_limit_(time_limit),
      pool_(threads, kMostBatches) {}

void Prefetcher::want(std::span<const Wanted> blobs) {
  std::vector<Wanted> batch;
  std::size_t batch_bytes = 0;
  const auto submit = [&] {
    if (batch.empty()) return;
    pending_bytes_ += batch_bytes;
    if (!pool_.try_submit([this, work = batch] { load(work); })) pending_bytes_ -= batch_bytes;
    batch.clear();
    batch_bytes = 0;
  };
  for (const Wanted& blob : blobs) {
    if (pending_bytes_ + batch_bytes + blob.size_bytes > budget_bytes_) break;
    if (room_.knows(blob.id)) continue;
    batch.push_back(blob);
    batch_bytes += blob.size_bytes;
    if (batch_bytes >= kBatchBytes) submit();
  }
  submit();
}

void Prefetcher::load(std::span<const Wanted> batch) {
  for (const Wanted& blob : batch) {
    room_.load_ahead({.id = blob.id,
                      .blob_bytes = blob.size_bytes,
                      .reader = blob.reader,
                      .offset = blob.offset},
                     Deadline::after(time_limit_));
    pending_bytes_ -= blob.size_bytes;
  }
}

}  // namespace restree
