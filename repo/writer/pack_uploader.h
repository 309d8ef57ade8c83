// Stores finished packs in the background, several at once.
//
// Before a pack is stored, each of its blobs is decrypted again and hashed, so that bytes that
// faulty memory has changed since they were read are not stored as if they were good.
// Ownership: its threads, the packs handed in, and the buffers to build packs in.
// Threads:   any.
// Limits:    `buffers` packs exist at a time: take_buffer() waits until one was stored.
// Errors:    after the first one, packs whose upload has not begun are dropped, and every call
//            fails with that error. kCorrupt: a blob has changed in memory. kCancelled: a stop was
//            requested.
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
#include "repo/writer/joined_pack.h"
#include "repo/writer/open_pack.h"
#include "repo/writer/pending_index.h"

namespace restree {

// Called for each pack once it is on the storage, by any thread.
using OnPackStored = std::function<void(const PackId& pack, std::uint64_t size_bytes)>;

class PackUploader {
 public:
  struct Options {
    std::size_t threads;
    std::size_t buffers;
    std::size_t buffer_bytes;
    std::size_t kept_bytes;  // how much of an unused buffer stays in memory
    // How long an upload is tried again, which is as long as restic tries: a server may be away
    // this long without ending the backup.
    std::chrono::seconds patience = std::chrono::minutes(15);
    OnPackStored on_stored = {};
  };
  PackUploader(Repository& repository, PendingIndex& index, const Options& options,
               std::stop_token stop);
  ~PackUploader();

  // An empty buffer of at least `wanted_bytes` bytes; buffer_bytes, unless a single blob needs
  // more.
  Result<Bytes> take_buffer(std::size_t wanted_bytes);
  void give_back(Bytes buffer) EXCLUDES(state_);

  // Frees the buffers that are not in use.
  void free_spare() EXCLUDES(state_);

  // Stores a pack that another repository with the same key has, as it is, in the calling thread.
  // `file` has the hash that `pack` says, and `blobs` are those of its header.
  Status store_file(const PackId& pack, ByteView file, std::vector<IndexedBlob> blobs);

  // Lets the storage put a pack together, in the calling thread. Errors: those of JoinedPack; the uploader
  // goes on as if nothing had been tried. After any other, failure() has it.
  Status store_joined(const JoinedPack& pack);

  // Stores a pack to which no blobs will be added.
  Status submit(std::unique_ptr<OpenPack> pack);
  // Waits until everything submitted is stored.
  Status wait();
  // The error that ended it, if any.
  std::optional<Error> failure() const;
  // Makes it fail with this error, unless it has failed already.
  void fail(Error error) EXCLUDES(state_);

 private:
  // How long a file of that size may take.
  Deadline time_for(std::uint64_t file_bytes) const;

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
  std::optional<Error> failure_in(const State& state) const REQUIRES(state_);

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
