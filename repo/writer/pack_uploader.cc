#include "repo/writer/pack_uploader.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "repo/base/thread_pool.h"
#include "repo/pack_verifier.h"
#include "repo/system/memory_pages.h"

namespace restree {
namespace {

// On a slow or limited line an upload gets additional time by its size, since the server being
// silent already shows that it is gone. That time is limited to this multiple of the patience, as
// a user who has set a short time does not want to wait many times as long.
constexpr std::size_t kSlowestBytesPerSecond = 4096;
constexpr int kMostPatienceForSlowness = 5;

constexpr std::size_t kBufferAlignment = 4096;

Error memory_fault(const IndexedBlob& blob) {
  return Error(ErrorKind::kCorrupt,
               fmt::format("{} blob {} has changed in memory before it was stored",
                           to_string(blob.type), blob.id.hex()))
      .hinting("The memory of this machine is faulty; test it before the next backup.");
}

}  // namespace

PackUploader::PackUploader(Repository& repository, PendingIndex& index, const Options& options,
                           std::stop_token stop)
    : repository_(repository),
      index_(index),
      options_(options),
      stop_(std::move(stop)),
      on_stop_(stop_, [this] {
        { auto state = state_.lock(); }
        changed_.notify_all();
      }) {
  start_some_threads(threads_, options.threads, [this] { run(); });
}

PackUploader::~PackUploader() {
  {
    auto state = state_.lock();
    state->ending = true;
    state->waiting.clear();
  }
  changed_.notify_all();
}

std::optional<Error> PackUploader::failure() const { return failure_in(*state_.lock()); }

std::optional<Error> PackUploader::failure_in(const State& state) const {
  if (!state.error && stop_.stop_requested()) {
    return Error(ErrorKind::kCancelled, "stopped before everything was stored");
  }
  return state.error;
}

Result<Bytes> PackUploader::take_buffer(std::size_t wanted_bytes) {
  auto state = state_.lock();
  for (;;) {
    if (auto error = failure_in(*state)) return std::move(*error);
    if (state->buffers_out < options_.buffers) break;
    changed_.wait(state.mutex_lock());
  }
  if (wanted_bytes <= options_.buffer_bytes && !state->spare.empty()) {
    Bytes buffer = std::move(state->spare.back());
    state->spare.pop_back();
    ++state->buffers_out;
    return buffer;
  }
  // Aligned, since a storage may write it with direct I/O.
  const std::size_t size = std::max(wanted_bytes, options_.buffer_bytes);
  Bytes buffer(size + kBufferAlignment);
  const auto address = reinterpret_cast<std::uintptr_t>(buffer.data());
  buffer.remove_prefix(kBufferAlignment - address % kBufferAlignment);
  buffer.remove_suffix(buffer.size() - size);
  ++state->buffers_out;  // not before there is one: nobody would give it back
  return buffer;
}

void PackUploader::give_back(Bytes buffer) {
  // Few packs become much larger than usual, so the memory beyond kept_bytes is given back.
  if (buffer.size() == options_.buffer_bytes && buffer.size() > options_.kept_bytes) {
    give_back_pages(buffer.view().subspan(options_.kept_bytes));
  }
  {
    auto state = state_.lock();
    --state->buffers_out;
    if (buffer.size() == options_.buffer_bytes) state->spare.push_back(std::move(buffer));
  }
  changed_.notify_all();
}

void PackUploader::free_spare() {
  const std::vector<Bytes> freed = std::exchange(state_.lock()->spare, {});
}

Status PackUploader::submit(std::unique_ptr<OpenPack> pack) {
  {
    auto state = state_.lock();
    if (auto error = failure_in(*state)) return std::move(*error);
    state->waiting.push_back(std::move(pack));
  }
  changed_.notify_all();
  return {};
}

Status PackUploader::wait() {
  auto state = state_.lock();
  for (;;) {
    // Wait for the uploads under way even after an error: they may still succeed, and then the
    // packs belong in the index that is saved next.
    if (state->at_work == 0) {
      if (auto error = failure_in(*state)) return std::move(*error);
      if (state->waiting.empty()) return {};
    }
    changed_.wait(state.mutex_lock());
  }
}

void PackUploader::fail(Error error) {
  {
    auto state = state_.lock();
    if (!state->error) state->error = std::move(error);
    state->waiting.clear();
  }
  changed_.notify_all();
}

void PackUploader::run() {
  for (;;) {
    std::unique_ptr<OpenPack> pack;
    {
      auto state = state_.lock();
      changed_.wait(state.mutex_lock(), [&]() REQUIRES(state_) {
        return state->ending || (!state->waiting.empty() && !failure_in(*state));
      });
      if (state->ending) return;
      pack = std::move(state->waiting.front());
      state->waiting.pop_front();
      ++state->at_work;
    }
    Status stored = Error(ErrorKind::kLocalIo, "out of memory while storing a pack");
    try {
      stored = store(*pack);
    } catch (const std::bad_alloc&) {
      // `stored` already holds the error
    }
    if (!stored) fail(std::move(stored).error());
    give_back(std::move(*pack).take_buffer());
    {
      auto state = state_.lock();
      --state->at_work;
    }
    changed_.notify_all();
  }
}

Status PackUploader::store(OpenPack& pack) {
  PackVerifier verifier(repository_);
  ASSIGN_OR_RETURN(const ByteView file, pack.finish(repository_));
  if (const IndexedBlob* const wrong = verifier.add(file, 0, pack.blobs())) {
    return memory_fault(*wrong);
  }
  return store_file(verifier.finish(), file, {pack.blobs().begin(), pack.blobs().end()});
}

Deadline PackUploader::time_for(std::uint64_t file_bytes) const {
  const std::chrono::seconds for_slowness(file_bytes / kSlowestBytesPerSecond);
  return Deadline::after(options_.patience +
                         std::min(for_slowness, kMostPatienceForSlowness * options_.patience));
}

Status PackUploader::store_file(const PackId& pack, ByteView file, std::vector<IndexedBlob> blobs) {
  const Deadline by = time_for(file.size());
  RETURN_IF_ERROR(repository_.storage().write({FileType::kPack, pack.hex()}, file, by));
  if (options_.on_stored) options_.on_stored(pack, file.size());
  return index_.add({pack, std::move(blobs)}, by);
}

Status PackUploader::store_joined(const JoinedPack& pack) {
  if (auto error = failure()) return std::move(*error);
  const Deadline by = time_for(pack.file_bytes());
  ASSIGN_OR_RETURN(const PackId id, pack.store(repository_, by, stop_));
  if (options_.on_stored) options_.on_stored(id, pack.file_bytes());
  Status named = index_.add({id, pack.blobs()}, by);
  if (!named) fail(named.error());
  return named;
}

}  // namespace restree
