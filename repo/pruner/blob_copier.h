// Copies blobs of packs that are to be removed into new packs.
//
// A blob is copied as it is sealed, once it was opened and its hash was found right. Only one that is
// not compressed, in a repository where it should be, is compressed and sealed anew. A blob that
// cannot be read from its place is taken from any other place that the index knows.
//
// Where the storage can put files together by itself, what is copied as it is sealed is read once and not
// sent: the storage copies it into the new pack, which is then read and verified (repo/writer/joined_pack.h).
// Reading the old packs instead, and believing the storage's copies, would save no byte and spread damage. A
// pack that cannot be made like this, whatever the reason, is made by reading and writing.
//
// Ownership: repository, writer and index must outlive it.
// Threads:   one calls; several read and write.
// Limits:    10 MiB for what is read next, 4 bytes for each blob that the storage copies; three
//            buffers a thread, as large as the largest request and the largest blob.
// Errors:    kCorrupt: a blob cannot be read from any place. kCancelled: stopped. Others: those of the
//            storage and the writer. The blobs copied by then are copied twice in the next run, or,
//            if the writer names their packs in an index, counted as duplicates.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "repo/bulk/bulk_load.h"
#include "repo/bulk/bulk_plan.h"
#include "repo/index/whole_index.h"
#include "repo/repository.h"
#include "repo/writer/repository_writer.h"

namespace restree {

class BlobCopier {
 public:
  // `compresses_data`: what is not compressed and could be is compressed. Counts up `copied` for each
  // blob that the writer has.
  BlobCopier(Repository& repository, RepositoryWriter& writer, const WholeIndex& index,
             bool compresses_data, BulkOptions bulk, std::atomic<std::uint64_t>& copied);

  // Copies the blobs at these positions of the index. What the writer has is not stored before it is
  // flushed.
  Status copy(std::span<const std::uint32_t> positions);

 private:
  struct Buffers {
    Bytes sealed;
    Bytes opened;  // a blob's sealed bytes, which are opened in place
    Bytes plain;
  };
  // Returns the positions that remain to be copied by reading and writing.
  Result<std::vector<std::uint32_t>> join(std::span<const std::uint32_t> positions);
  Status join_pack(std::span<const std::uint32_t> positions);
  Status read_and_write(std::span<const std::uint32_t> positions);
  Status read_and_write_some(std::span<const std::uint32_t> positions);
  std::size_t threads() const;
  Status copy_request(const BulkRequest& request, Buffers& buffers);
  Status copy_blob(const IndexEntry& entry, ByteView sealed, Buffers& buffers);
  Status copy_singly(const IndexEntry& entry);
  bool must_compress(const IndexEntry& entry) const;

  Repository& repository_;
  RepositoryWriter& writer_;
  const WholeIndex& index_;
  const bool compresses_data_;
  const BulkOptions bulk_;
  std::atomic<std::uint64_t>& copied_;
};

}  // namespace restree
