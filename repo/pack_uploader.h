// Stores finished packs in the background, several at once.
//
// Before a pack leaves, each of its blobs is opened again and hashed: what a faulty memory has
// changed since it was read is not stored as if it were good.
// Ownership: its threads, the packs handed in, and the buffers to build packs in.
// Threads:   any.
// Limits:    `buffers` packs exist at a time: take_buffer() waits until one was stored.
// Errors:    the first one ends it: what was not begun is dropped, and every call fails with it.
//            kCorrupt: the memory has changed a blob. kCancelled: stop was asked for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/open_pack.h"
#include "repo/pending_index.h"

namespace restree {

class PackUploader {
 public:
  struct Options {
    std::size_t threads;
    std::size_t buffers;
    std::size_t buffer_bytes;
    std::size_t kept_bytes;  // what of a buffer stays in memory while nobody uses it
    // As long as restic goes on trying; a server that is back within that finds us still there.
    std::chrono::seconds patience = std::chrono::minutes(15);
  };
  PackUploader(Repository& repository, PendingIndex& index, const Options& options,
               std::stop_token stop);
  ~PackUploader();

  // An empty buffer of at least `wanted_bytes` bytes; buffer_bytes, unless a single blob needs
  // more.
  Result<Bytes> take_buffer(std::size_t wanted_bytes);
  void give_back(Bytes buffer);

  // Takes a pack that nobody fills any more.
  Status submit(std::unique_ptr<OpenPack> pack);
  // Waits until everything submitted is stored.
  Status wait();
  // Why nothing more is stored, if that is so.
  std::optional<Error> failure() const;
  // Ends it with this error, unless it has failed already.
  void fail(Error error);

 private:
  struct State {
    std::deque<std::unique_ptr<OpenPack>> waiting;
    std::vector<Bytes> spare;
    std::size_t buffers_out = 0;
    std::size_t at_work = 0;
    std::optional<Error> error;
    bool ending = false;
  };
  void run();
  Status store(OpenPack& pack);
  std::optional<Error> failure_in(const State& state) const;

  Repository& repository_;
  PendingIndex& index_;
  const Options options_;
  const std::stop_token stop_;
  Guarded<State> state_;
  std::condition_variable changed_;
  std::stop_callback<std::function<void()>> on_stop_;
  std::vector<std::jthread> threads_;
};

}  // namespace restree
