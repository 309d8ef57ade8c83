#include "repo/archiver/file_saver.h"

#include <condition_variable>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>

#include "repo/base/guarded.h"
#include "repo/base/last_resort.h"
#include "repo/system/memory_pages.h"

namespace restree {
namespace {

// No chunk is shorter than this, so the first read is this large. Later reads are smaller, since
// bytes read beyond the end of a chunk must be copied.
constexpr std::size_t kFirstReadBytes = Chunker::kMinChunkBytes;
constexpr std::size_t kReadBytes = 128 << 10;

// Nearly all chunks are shorter than this. Memory that a longer chunk touched beyond it is given
// back to the system; otherwise every buffer would in time hold the pages of the largest chunk.
constexpr std::size_t kKeptBytes = 4 << 20;

// The chunks of one file that are being saved.
class ChunksUnderWay {
 public:
  ChunksUnderWay(RepositoryWriter& writer, ThreadPool& pool, SpareBuffers& buffers)
      : writer_(writer), pool_(pool), buffers_(buffers) {}
  ~ChunksUnderWay() { wait(); }

  // The first `size` bytes of the buffer. What is thrown meanwhile, on whichever thread, becomes
  // finish()'s error: a chunk that never ended would be waited for without end.
  void save(Bytes buffer, std::size_t size) {
    auto shared = std::make_shared<Bytes>(std::move(buffer));
    Chunk* const slot = begin();
    slot->size = size;
    const auto work = [this, slot, shared, size] { end(slot, saved(*shared, size)); };
    bool is_handed_on = false;
    try {
      is_handed_on = pool_.try_submit(work);
    } catch (const std::exception& failure) {
      end(slot, error_of(failure));
      return;
    }
    if (!is_handed_on) work();
  }

  Result<SavedContent> finish() {
    wait();
    auto state = state_.lock();
    if (auto& error = state->error) return std::move(*error);
    SavedContent content;
    content.blobs.reserve(state->chunks.size());
    for (const Chunk& chunk : state->chunks) {
      content.blobs.push_back(chunk.saved.id);
      content.size += chunk.size;
      content.added.add(chunk.saved, chunk.size);
    }
    return content;
  }

 private:
  struct Chunk {
    SavedBlob saved;
    std::size_t size = 0;
  };
  struct State {
    std::deque<Chunk> chunks;  // a deque, so that pointers to its elements stay valid
    std::size_t under_way = 0;
    std::optional<Error> error;
  };

  Result<SavedBlob> saved(Bytes& buffer, std::size_t size) {
    try {
      auto saved = writer_.save(BlobType::kData, buffer.view().first(size));
      buffers_.give_back(std::move(buffer));
      return saved;
    } catch (const std::exception& failure) {
      return error_of(failure);
    }
  }

  Chunk* begin() {
    auto state = state_.lock();
    Chunk* const chunk = &state->chunks.emplace_back();
    ++state->under_way;
    return chunk;
  }
  void end(Chunk* chunk, Result<SavedBlob> saved) {
    auto state = state_.lock();
    if (saved) {
      chunk->saved = *saved;
    } else if (!state->error) {
      state->error = std::move(saved).error();
    }
    --state->under_way;
    // Under the lock, since the waiting thread may destroy this object once the lock is free.
    changed_.notify_all();
  }
  void wait() {
    auto state = state_.lock();
    changed_.wait(state.mutex_lock(), [&] { return state->under_way == 0; });
  }

  RepositoryWriter& writer_;
  ThreadPool& pool_;
  SpareBuffers& buffers_;
  Guarded<State> state_;
  std::condition_variable changed_;
};

}  // namespace

Bytes SpareBuffers::take() {
  {
    auto spare = spare_.lock();
    if (!spare->empty()) {
      Bytes buffer = std::move(spare->back());
      spare->pop_back();
      return buffer;
    }
  }
  return Bytes(Chunker::kMaxChunkBytes);
}

void SpareBuffers::give_back(Bytes buffer) {
  give_back_pages(buffer.view().subspan(kKeptBytes));
  auto spare = spare_.lock();
  if (spare->size() < kMostSpare) spare->push_back(std::move(buffer));
}

FileSaver::FileSaver(RepositoryWriter& writer, const Chunker& chunker, ThreadPool& pool,
                     std::function<void(std::uint64_t)> on_bytes)
    : writer_(writer), chunker_(chunker), pool_(pool), on_bytes_(std::move(on_bytes)) {}

Result<SavedContent> FileSaver::save(SourceFile& file) {
  // Most files are one chunk, which needs no large buffer and no other thread.
  thread_local Bytes first(kFirstReadBytes);
  ASSIGN_OR_RETURN(const std::size_t size, file.read(first.view()));
  on_bytes_(size);
  if (size == first.size()) {
    Bytes buffer = buffers_.take();
    std::memcpy(buffer.data(), first.data(), size);
    return save_chunks(file, std::move(buffer), size);
  }
  SavedContent content;
  if (size == 0) return content;
  ASSIGN_OR_RETURN(const SavedBlob saved, writer_.save(BlobType::kData, first.view().first(size)));
  content.blobs.push_back(saved.id);
  content.size = size;
  content.added.add(saved, size);
  return content;
}

Result<SavedContent> FileSaver::save_chunks(SourceFile& file, Bytes buffer, std::size_t filled) {
  ChunksUnderWay chunks(writer_, pool_, buffers_);
  std::size_t searched = 0;
  for (;;) {
    const auto cut = chunker_.find_cut(buffer.view().first(filled), searched);
    if (cut) {
      Bytes next = buffers_.take();
      std::memcpy(next.data(), buffer.data() + *cut, filled - *cut);
      chunks.save(std::exchange(buffer, std::move(next)), *cut);
      filled -= *cut;
      searched = 0;
      if (writer_.failure()) break;
      continue;
    }
    searched = filled;
    const std::size_t wanted = std::min(
        filled < kFirstReadBytes ? kFirstReadBytes - filled : kReadBytes, buffer.size() - filled);
    ASSIGN_OR_RETURN(const std::size_t size, file.read(buffer.view().subspan(filled, wanted)));
    on_bytes_(size);
    filled += size;
    if (size < wanted) break;
  }
  // The bytes left at the end may still contain the end of a chunk.
  while (filled > 0 && !writer_.failure()) {
    const auto cut = chunker_.find_cut(buffer.view().first(filled), searched).value_or(filled);
    Bytes rest;
    if (cut < filled) {
      rest = buffers_.take();
      std::memcpy(rest.data(), buffer.data() + cut, filled - cut);
    }
    chunks.save(std::exchange(buffer, std::move(rest)), cut);
    filled -= cut;
    searched = 0;
  }
  return chunks.finish();
}

}  // namespace restree
