// Loads many blobs of a repository at once: few requests, several under way, decoding in parallel.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>

#include "repo/base/result.h"
#include "repo/bulk_plan.h"
#include "repo/repository.h"

namespace restree {

struct BulkOptions {
  std::size_t threads = 4;             // fewer where none would wait for the storage
  std::chrono::seconds patience{900};  // for each request
  std::stop_token stop;
  std::optional<BulkLimits> limits;  // otherwise what suits the storage
};

// Gets each blob once, with all uses of it. `blob` is a view that lives for the call, or why the
// blob could not be had, after every pack that should hold it was asked. What it returns as an
// error ends the whole.
using BulkHandler =
    std::function<Status(std::span<const BlobUse> uses, const Result<ByteView>& blob)>;

// Nothing else will come either, once one request has failed in this way.
constexpr bool is_hopeless(ErrorKind kind) {
  return kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled;
}

// Collects what is wanted of one type, then loads it.
// Ownership: the repository and the ids outlive it.
// Threads:   one; the handler is called from several at once.
// Limits:    two buffers a thread, each of the size of the larger of a request and a blob; they are
//            used again from request to request.
// Errors:    kUnavailable: the storage cannot be reached, so nothing else can be had either.
//            kCancelled: stopped. And those of the handler.
class BulkLoader {
 public:
  BulkLoader(Repository& repository, BlobType type, BulkOptions options);

  void want(const BlobId& id, std::uint32_t tag, std::uint64_t position = 0);
  // Once.
  Status run(const BulkHandler& handler);

 private:
  Deadline soon() const { return Deadline::after(options_.patience); }
  // The memory of one thread: what it reads into, and what it decompresses into.
  struct Buffers {
    Bytes sealed;
    Bytes plain;
  };
  Buffers buffers_for(std::span<const BulkRequest> requests) const;
  Status run_request(const BulkRequest& request, const BulkHandler& handler,
                     Buffers& buffers) const;
  // What is left of a request once the cache was asked: these blobs lie near each other.
  Status run_stretch(const PackId& pack, std::span<const std::span<const BlobUse>> blobs,
                     const BulkHandler& handler, Buffers& buffers) const;
  Status load_singly(std::span<const BlobUse> uses, const BulkHandler& handler) const;

  Repository& repository_;
  const BlobType type_;
  const BulkOptions options_;
  const ReadHabit habit_;
  const BulkLimits limits_;
  BulkPlan plan_;
  std::vector<BlobUse> unknown_;  // no index names them, as far as is known yet
};

}  // namespace restree
