// How a merged index lies in a file: everything sealed with the repository's key, in pieces small
// enough that finding a blob opens one of them.
//
//   file   := head  block*  tables          each sealed; head and blocks take kStoredPieceBytes
//   head   := StoredIndexHead  zeros
//   block  := StoredBlockHead  IndexEntry*  zeros
//   tables := file_id  PackId[packs]  u32[packs]  u64[blocks]  IndexId[files]
//
// Entries are sorted by id and type, and name a pack by its position in the table. The numbers
// in the tables are where the last blob of each pack ends, and the first eight bytes of each
// block's first id. `files` are the names of the index files that the entries are from.
//
// Every piece names the file and its place in it, which the seal alone does not: so a piece that
// was moved, or is left from an older file, is not taken for the right one. Integers are in the
// machine's byte order: the file never leaves it, and the other order gives another magic number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "repo/crypto/seal.h"
#include "repo/index/index_entries.h"

namespace restree {

inline constexpr std::size_t kStoredPieceBytes = 1024;
inline constexpr std::size_t kStoredPlainBytes = kStoredPieceBytes - kSealOverheadBytes;

using StoredFileId = std::array<std::byte, 16>;

struct StoredIndexHead {
  static constexpr std::uint64_t kMagic = 0x3278'6469'6572'7472;  // "rtreidx2"

  std::uint64_t magic = kMagic;
  StoredFileId file_id;
  std::uint64_t entries;
  std::uint64_t sealed_bytes;  // of all blobs, as the packs hold them
  std::uint32_t packs;
  std::uint32_t blocks;
  std::uint32_t files;
  std::uint32_t unused = 0;
};

struct StoredBlockHead {
  StoredFileId file_id;
  std::uint32_t number;  // of the block, from 0
  std::uint32_t entries;
  std::uint64_t unused = 0;
};

inline constexpr std::size_t kStoredBlockEntries =
    (kStoredPlainBytes - sizeof(StoredBlockHead)) / sizeof(IndexEntry);

// The plain content of a block's piece. There is no padding, so every byte of it is written.
struct StoredBlock {
  StoredBlockHead head;
  std::array<IndexEntry, kStoredBlockEntries> entries;
};
static_assert(sizeof(StoredBlock) == kStoredPlainBytes);
static_assert(sizeof(StoredIndexHead) <= kStoredPlainBytes);

inline constexpr std::uint64_t stored_blocks_of(std::uint64_t entries) {
  return (entries + kStoredBlockEntries - 1) / kStoredBlockEntries;
}
// The size of the sealed tables.
inline constexpr std::uint64_t stored_tables_bytes(std::uint64_t packs, std::uint64_t blocks,
                                                   std::uint64_t files) {
  return kSealOverheadBytes + sizeof(StoredFileId) +
         packs * (sizeof(PackId) + sizeof(std::uint32_t)) + blocks * sizeof(std::uint64_t) +
         files * sizeof(IndexId);
}
inline constexpr std::uint64_t stored_block_offset(std::uint64_t number) {
  return (1 + number) * kStoredPieceBytes;
}

}  // namespace restree
