#include "repo/writer/pack_uploader.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "repo/base/thread_pool.h"
#include "repo/crypto/seal.h"
#include "repo/crypto/sha256_pair.h"
#include "repo/format/zstd.h"
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

// Verifies the blobs of one pack, one after the other, and hashes the file meanwhile, since two
// hashes at once cost less than one after the other (Sha256Pair). All in pieces that stay in the
// processor's cache.
class Verifier {
 public:
  // The hash of `file`, whose payload are the pack's blobs.
  Result<PackId> verify(const Repository& repository, const OpenPack& pack, ByteView file);

 private:
  static constexpr std::size_t kPieceBytes = 128 << 10;

  Status verify(const Repository& repository, ByteView sealed, const IndexedBlob& blob);
  void hash(ByteView content);

  Bytes piece_{kPieceBytes};
  Sha256Pair hashes_;  // of a blob's content, and of the file
  ByteView unhashed_;  // the rest of the file
};

// As much of the file as of the blob; where compressed blobs make the file the shorter one, it is
// done first.
void Verifier::hash(ByteView content) {
  const ByteView part = unhashed_.first(std::min(content.size(), unhashed_.size()));
  unhashed_ = unhashed_.subspan(part.size());
  hashes_.update(content, part);
}

// Decrypts and decompresses the blob as a reader would, and compares its hash with its id.
Status Verifier::verify(const Repository& repository, ByteView sealed, const IndexedBlob& blob) {
  PieceDecompressor frame(blob.raw_length, [this](ByteView piece) { hash(piece); });
  const bool is_compressed = blob.raw_length != 0;
  Status read = repository.open_in_pieces(sealed, piece_.view(), [&](ByteView piece) -> Status {
    if (is_compressed) return frame.add(piece);
    hash(piece);
    return {};
  });
  if (read && is_compressed) read = frame.finish();
  // Called also after an error, so that the hash of the next blob begins anew.
  const BlobId id{hashes_.finish_first()};
  if (!read || id != blob.id) return memory_fault(blob);
  return {};
}

Result<PackId> Verifier::verify(const Repository& repository, const OpenPack& pack, ByteView file) {
  unhashed_ = file;
  Status verified;
  for (const IndexedBlob& blob : pack.blobs()) {
    verified = verify(repository, pack.sealed_blob(blob), blob);
    if (!verified) break;
  }
  hashes_.update({}, std::exchange(unhashed_, {}));
  const PackId id{hashes_.finish_second()};
  if (!verified) return verified.error();
  return id;
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
  Verifier verifier;
  ASSIGN_OR_RETURN(const ByteView file, pack.finish(repository_));
  ASSIGN_OR_RETURN(const PackId id, verifier.verify(repository_, pack, file));
  return store_file(id, file, {pack.blobs().begin(), pack.blobs().end()});
}

Status PackUploader::store_file(const PackId& pack, ByteView file, std::vector<IndexedBlob> blobs) {
  const std::chrono::seconds for_slowness(file.size() / kSlowestBytesPerSecond);
  const Deadline by = Deadline::after(
      options_.patience + std::min(for_slowness, kMostPatienceForSlowness * options_.patience));
  RETURN_IF_ERROR(repository_.storage().write({FileType::kPack, pack.hex()}, file, by));
  if (options_.on_stored) options_.on_stored(pack, file.size());
  return index_.add({pack, std::move(blobs)}, by);
}

}  // namespace restree
