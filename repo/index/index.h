// Where every blob of a repository lies: millions of entries, compact, and found in O(1).
//
// Ownership: an Index is an immutable value behind a shared_ptr; readers keep the one they have
//            while a newer one replaces it.
// Threads:   any, once built. A builder: add() from any thread, build() once.
// Limits:    48 bytes a blob, at most one more for the search, and 36 a pack; building peaks little
//            above that: entries are sorted where they were gathered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "repo/format/id.h"
#include "repo/format/index_file.h"
#include "repo/index/index_entries.h"

namespace restree {

// One place where a blob lies.
struct BlobLocation {
  PackId pack;
  std::uint32_t offset;
  std::uint32_t length;      // sealed
  std::uint32_t raw_length;  // uncompressed; 0 if the blob is not compressed
  // Where the pack's last blob in the index ends; 0 if the place does not come from an index.
  std::uint32_t pack_end = 0;

  // Bytes of the blob itself.
  std::uint32_t blob_bytes() const;
};

// A pack, and how long it is at least.
struct PackExtent {
  PackId pack;
  std::uint32_t end;  // of the last blob that the index names of it
};

// A pack, and how long it is if it holds what index files name in it and nothing else.
struct NamedPack {
  PackId pack;
  std::uint64_t size_bytes;
};

class Index {
 public:
  // The first place known for the blob, or nullopt.
  std::optional<BlobLocation> find(BlobType type, const BlobId& id) const;
  // All places: a blob may lie in several packs, and one of them may be damaged.
  std::vector<BlobLocation> find_all(BlobType type, const BlobId& id) const;

  // Every place of every blob, sorted by id and type; positions are counted from 0.
  std::span<const IndexEntry> entries() const { return entries_.view(); }
  // The position of the blob's first entry, for tables beside the index; nullopt: not in the index.
  std::optional<std::size_t> position(BlobType type, const BlobId& id) const;
  const std::vector<PackId>& packs() const { return packs_; }
  // Where the last blob of each pack ends, in the order of packs().
  std::span<const std::uint32_t> pack_ends() const { return pack_ends_; }

  std::size_t blob_count() const { return entries_.size(); }
  std::size_t pack_count() const { return packs_.size(); }
  // The bytes that all blobs take in their packs, sealed.
  std::uint64_t sealed_bytes() const { return sealed_bytes_; }
  std::size_t memory_bytes() const;

 private:
  friend class IndexBuilder;
  Index() = default;

  std::span<const IndexEntry> matching(BlobType type, const BlobId& id) const;
  BlobLocation location(const IndexEntry& entry) const;

  IndexEntries entries_;  // sorted by id and type; exact duplicates removed
  // For each value of an id's first `bucket_bits_` bits, where its entries begin; and the end. Ids
  // are hashes, so a bucket holds a handful of entries; if they are not, the search inside is still
  // binary.
  std::vector<std::uint32_t> bucket_begins_;
  unsigned bucket_bits_ = 0;
  std::vector<PackId> packs_;
  std::vector<std::uint32_t> pack_ends_;  // of each, where its last blob ends
  std::uint64_t sealed_bytes_ = 0;
};

// Collects the entries of many index files at once, from several threads.
class IndexBuilder {
 public:
  IndexBuilder();
  ~IndexBuilder();
  void add(const PackId& pack, std::span<const IndexedBlob> blobs);
  // All that another index holds.
  void add(const Index& index);
  // Consumes the builder. Sorts on up to `threads` threads.
  std::shared_ptr<const Index> build(std::size_t threads) &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace restree
