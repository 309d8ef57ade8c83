// Saves the content of a file: reads, cuts, and has its chunks stored, several at once.
//
// Ownership: writer, chunker and pool must outlive it.
// Threads:   any; a call saves one file and waits for its last chunk.
// Limits:    the file's chunk that grows, those that wait in the pool, three buffers for the next;
//            what finds the pool full is saved by the caller itself.
// Errors:    of the source; those of the writer are left for RepositoryWriter::failure() to tell.
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
#include "repo/repository_writer.h"

namespace restree {

// What saving one item has added to the repository.
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

// Memory for the largest chunk, used again: fresh pages cost more than hashing what comes into
// them. Threads: any.
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
  // `on_bytes` is told how many bytes were read, as they are.
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
