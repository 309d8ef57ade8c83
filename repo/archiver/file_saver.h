// Saves the content of a file: reads it, cuts it into chunks and stores these, several at once.
//
// Ownership: writer, chunker and pool must outlive it.
// Threads:   any; a call saves one file and waits for its last chunk.
// Memory:    the chunk being read, the chunks that wait in the pool, and three spare buffers; when
//            the pool is full, the calling thread saves the chunk itself.
// Errors:    of the source; for those of the writer see RepositoryWriter::failure().
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "repo/archiver/source_file.h"
#include "repo/base/bytes.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/base/thread_pool.h"
#include "repo/chunker/chunker.h"
#include "repo/writer/repository_writer.h"

namespace restree {

// The blobs and bytes that saving one item has added to the repository.
struct AddedSizes {
  std::uint64_t blobs = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t stored_bytes = 0;

  void add(const SavedBlob& blob, std::size_t size) {
    if (!blob.is_new) return;
    ++blobs;
    raw_bytes += size;
    stored_bytes += blob.stored_bytes;
  }
};

struct SavedContent {
  std::vector<BlobId> blobs;
  std::uint64_t size = 0;
  AddedSizes added;
};

// Reusable buffers for the largest chunk: fresh pages cost more than hashing the bytes that are
// read into them. Threads: any.
class SpareBuffers {
 public:
  Bytes take();
  void give_back(Bytes buffer);

 private:
  static constexpr std::size_t kMostSpare = 3;
  Guarded<std::vector<Bytes>> spare_;
};

class FileSaver {
 public:
  // `on_bytes` is called after each read, with the number of bytes that it returned, in the thread
  // that called save().
  FileSaver(RepositoryWriter& writer, const Chunker& chunker, ThreadPool& pool,
            std::function<void(std::uint64_t)> on_bytes);

  Result<SavedContent> save(SourceFile& file);

 private:
  Result<SavedContent> save_chunks(SourceFile& file, Bytes buffer, std::size_t filled);

  RepositoryWriter& writer_;
  const Chunker& chunker_;
  ThreadPool& pool_;
  SpareBuffers buffers_;
  const std::function<void(std::uint64_t)> on_bytes_;
};

}  // namespace restree
