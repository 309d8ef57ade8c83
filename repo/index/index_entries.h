// The entries of an index: one block of memory that grows without being copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "repo/format/id.h"
#include "repo/format/index_file.h"

namespace restree {

struct IndexEntry {
  static constexpr std::uint32_t kTreeBit = std::uint32_t{1} << 31;

  BlobId id;
  std::uint32_t pack_and_type;  // position of the pack; top bit: tree
  std::uint32_t offset;
  std::uint32_t length;
  std::uint32_t raw_length;

  std::uint32_t pack_number() const { return pack_and_type & ~kTreeBit; }
  BlobType type() const {
    return (pack_and_type & kTreeBit) != 0 ? BlobType::kTree : BlobType::kData;
  }
  // As index files and the headers of packs describe it.
  IndexedBlob blob() const { return {id, type(), offset, length, raw_length}; }
  bool operator==(const IndexEntry&) const = default;
};
static_assert(sizeof(IndexEntry) == 48);

// A vector would need the old and the new block at once whenever it grows, and touch both;
// realloc() of a block this large only moves page tables, and the spare end has no pages yet.
class IndexEntries {
 public:
  std::size_t size() const { return size_; }
  std::span<IndexEntry> view() { return {block_.get(), size_}; }
  std::span<const IndexEntry> view() const { return {block_.get(), size_}; }

  // `count` more entries, for the caller to fill.
  std::span<IndexEntry> grow(std::size_t count);
  // Cuts the end off and gives spare memory back.
  void shrink_to(std::size_t size);

 private:
  struct Free {
    void operator()(IndexEntry* block) const { std::free(block); }
  };
  void reallocate(std::size_t capacity);

  std::unique_ptr<IndexEntry, Free> block_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace restree
