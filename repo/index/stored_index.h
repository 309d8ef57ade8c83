// An index in a file: nothing is parsed to open it, and each lookup reads and decrypts one small
// piece, unless that piece was used lately. One blob is looked up some eight times until it is
// read.
//
// The file is read, not mapped. Its pages are in the system's cache either way, and decrypting a
// piece costs more than the call; but if a broken disk or another process cut a mapped file short,
// this process would be killed.
//
// Ownership: owns the file; the key must outlive it.
// Threads:   any, many at once.
// Limits:    memory: 36 bytes a pack, less than half a byte a blob, and kKeptBlocks open pieces of
//            1 KiB. Time: a few microseconds to open a piece if it is in the system's cache, else a
//            read of the disk.
// Errors:    kCorrupt: the file is damaged where it was read, or is not an index. kLocalIo: it
//            cannot be read. Never a wrong answer; after an error, the caller asks the index files.
// Format:    stored_index_format.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/crypto/seal.h"
#include "repo/index/index.h"
#include "repo/index/stored_index_format.h"

namespace restree {

class StoredIndex {
 public:
  // All pieces of an index of some 80,000 blobs.
  static constexpr std::size_t kKeptBlocks = 4096;

  static Result<std::shared_ptr<const StoredIndex>> open(UniqueFd fd, const SealKey& key);

  // Every place of the blob; empty: it is in none of files().
  Result<std::vector<BlobLocation>> find_all(BlobType type, const BlobId& id) const;

  const std::vector<PackId>& packs() const { return packs_; }
  // Where the last blob of each pack ends, in the order of packs().
  std::span<const std::uint32_t> pack_ends() const { return pack_ends_; }
  // The index files that it was made from.
  const std::vector<IndexId>& files() const { return files_; }

  std::size_t blob_count() const { return static_cast<std::size_t>(head_.entries); }
  std::uint64_t sealed_bytes() const { return head_.sealed_bytes; }
  std::size_t memory_bytes() const;

  // For reading the whole index in order. Fills `block`, and returns the entries in it.
  std::size_t block_count() const { return head_.blocks; }
  Result<std::span<const IndexEntry>> read_block(std::size_t number, StoredBlock& block) const;

 private:
  StoredIndex(UniqueFd fd, const SealKey& key) : fd_(std::move(fd)), key_(key) {}
  Status read_head();
  Status read_tables();
  Result<std::shared_ptr<const StoredBlock>> block(std::size_t number) const;

  UniqueFd fd_;
  const SealKey& key_;
  StoredIndexHead head_;
  std::vector<PackId> packs_;
  std::vector<std::uint32_t> pack_ends_;  // of each, where its last blob ends
  std::vector<std::uint64_t> first_;      // of each block, the first eight bytes of its first id
  std::vector<IndexId> files_;
  // Recently used blocks, each at its number modulo the size. Empty before the first lookup.
  mutable Guarded<std::vector<std::shared_ptr<const StoredBlock>>> kept_;
};

}  // namespace restree
