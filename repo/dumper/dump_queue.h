// Items and blobs in the order in which they are written, loaded ahead by several threads.
//
//   walk ── push ──> queue <── take ── writer
//                      ^── loaders fill in what blobs hold
//
// Threads:   one pushes and closes, one takes; the loaders are the queue's own.
// Ownership: the repository outlives it.
// Limits:    kMostBytes of blobs and kMostEntries entries wait.
// Errors:    the error of a blob is taken in the blob's place.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/bulk/bulk_load.h"
#include "repo/format/tree.h"

namespace restree {

struct DumpEntry {
  std::shared_ptr<const Tree> tree = {};  // keeps the node
  const Node* node = nullptr;
  std::string path = {};   // of the item that begins; empty: a blob of the last one
  std::uint64_t size = 0;  // of the item's content, or of the blob
  const BlobId* blob = nullptr;
  Result<Bytes> content = Bytes();
  std::string left_out = {};  // not empty: no item, but words about one that is left out
};

class DumpQueue {
 public:
  DumpQueue(Repository& repository, BulkOptions bulk);
  ~DumpQueue();

  // Waits for room. False: abandon() was called.
  bool push(DumpEntry entry);
  // No more entries will be pushed. take() returns an error in `status` after the last entry.
  void close(Status status);
  // The next entry, once its content is there; nullopt at the end.
  Result<std::optional<DumpEntry>> take();
  // Nothing is taken any more: push() and the loaders end.
  void abandon();

 private:
  static constexpr std::uint64_t kMostBytes = 64 << 20;
  static constexpr std::size_t kMostEntries = 8192;
  // The most that a loader takes at once, so that neighbours come with one request.
  static constexpr std::uint64_t kBatchBytes = 4 << 20;
  static constexpr std::size_t kBatchEntries = 128;

  struct Waiting {
    DumpEntry entry;
    bool ready = false;
  };
  using Batch = std::vector<std::shared_ptr<Waiting>>;
  struct State {
    std::deque<std::shared_ptr<Waiting>> queue;
    std::deque<std::shared_ptr<Waiting>> to_load;
    std::uint64_t bytes = 0;  // of the blobs in the queue
    bool closed = false;
    bool ending = false;
    Status status;
  };

  void load_batches();
  Batch next_batch() EXCLUDES(state_);
  void load(const Batch& batch);

  Repository& repository_;
  const BulkOptions bulk_;
  Guarded<State> state_;
  std::condition_variable changed_;
  std::vector<std::jthread> loaders_;
};

}  // namespace restree
