// Loads many blobs of a repository at once: few requests, several under way, decoding in parallel.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>

#include "repo/base/result.h"
#include "repo/bulk/bulk_plan.h"
#include "repo/repository.h"

namespace restree {

struct BulkOptions {
  // If reads never wait for the storage, no more than there are processors.
  std::size_t threads = 4;
  std::chrono::seconds patience{900};  // for each request
  std::stop_token stop;
  std::optional<BulkLimits> limits;  // nullopt: limits that suit the storage
};

// Called once for each blob, with all uses of it. `blob` is a view that is valid during the call,
// or the error if the blob could not be read from any pack that should hold it. An error that the
// handler returns ends the load.
using BulkHandler =
    std::function<Status(std::span<const BlobUse> uses, const Result<ByteView>& blob)>;

// The same, with the blob's content as it lies in its pack: a zstd frame. Empty: it is not compressed, or was read
// alone.
using FrameHandler = std::function<Status(std::span<const BlobUse> uses,
                                          const Result<ByteView>& blob, ByteView frame)>;

// After such an error all further requests would fail too.
constexpr bool is_hopeless(ErrorKind kind) {
  return kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled;
}

// Collects the wanted blobs of one type, then loads them.
// Ownership: the repository and the ids must outlive it.
// Threads:   one; the handler is called by several at once.
// Limits:    two buffers a thread, as large as the largest request and the largest blob; they are
//            used again for the next request.
// Errors:    kUnavailable: the storage cannot be reached, so the other blobs are not tried.
//            kCancelled: stopped. And those of the handler.
class BulkLoader {
 public:
  BulkLoader(Repository& repository, BlobType type, BulkOptions options);

  void want(const BlobId& id, std::uint32_t tag, std::uint64_t position = 0);
  // One of them must be called, only once.
  Status run(const BulkHandler& handler);
  Status run_with_frames(const FrameHandler& handler);

 private:
  Deadline soon() const { return Deadline::after(options_.patience); }
  // The memory of one thread: it reads into `sealed` and decompresses into `plain`.
  struct Buffers {
    Bytes sealed;
    Bytes plain;
  };
  Buffers buffers_for(std::span<const BulkRequest> requests) const;
  Status run_request(const BulkRequest& request, const FrameHandler& handler,
                     Buffers& buffers) const;
  // Reads blobs of a request that were not in the cache and lie near each other.
  Status run_stretch(const PackId& pack, std::span<const std::span<const BlobUse>> blobs,
                     const FrameHandler& handler, Buffers& buffers) const;
  Status load_singly(std::span<const BlobUse> uses, const FrameHandler& handler) const;

  Repository& repository_;
  const BlobType type_;
  const BulkOptions options_;
  const ReadHabit habit_;
  const BulkLimits limits_;
  BulkPlan plan_;
  std::vector<BlobUse> unknown_;  // blobs that are in no index file loaded so far
};

}  // namespace restree
