// Which parts of which blobs make up a range of a file.
//
// Pure functions of values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "repo/base/loading_cache.h"
#include "repo/format/id.h"
#include "repo/format/tree.h"

namespace restree {

// Where the blobs of a file lie in it.
class FileLayout {
 public:
  using BlobSize = std::function<std::optional<std::uint32_t>(const BlobId&)>;

  // `recorded_size` is the size in the node. It counts only if the size of a blob is not known (no
  // index names it): then it is the size of the file, from which the size of the gap follows.
  static FileLayout make(std::span<const BlobId> content, std::uint64_t recorded_size,
                         const BlobSize& size_of);

  std::uint64_t size() const { return size_; }
  // Whether the size of a blob is not known.
  bool has_gap() const { return has_gap_; }
  // How many of the file's blobs are those of holes: zero_blob_id().
  std::uint64_t zero_blobs() const { return zero_blobs_; }
  std::size_t memory_bytes() const { return ends_.capacity() * sizeof ends_.front(); }

  // A blob, or a run of blobs none of whose places is known, that holds some of a range.
  struct Piece {
    std::size_t blob;           // position in the file's content; of a run: its first
    std::uint64_t file_offset;  // where blob or run begins in the file
    std::uint64_t length;
    bool placed;  // false: where in the run each blob begins is not known
  };
  // The piece that holds the byte at `offset`, which must be below size().
  Piece piece_at(std::uint64_t offset) const;

 private:
  // ends_[i]: where blob i ends. From first_gap_ to last_gap_ (both included) sizes are missing,
  // and the whole run is one piece.
  std::vector<std::uint64_t> ends_;
  std::size_t first_gap_ = 0;
  std::size_t last_gap_ = 0;
  bool has_gap_ = false;
  std::uint64_t size_ = 0;
  std::uint64_t zero_blobs_ = 0;
};

// The id of the blob that backs up 512 KiB of zeros: what a hole is cut into.
const BlobId& zero_blob_id();
inline constexpr std::uint64_t kZeroBlobBytes = 512 << 10;

// How many of the blobs are such zeros.
std::uint64_t count_zero_blobs(std::span<const BlobId> content);

// The layouts of files that are being read.
//
// Threads: any.
// Limits:  `budget_bytes` of layouts, 8 bytes a blob. Only those of many blobs are remembered: the
//          others are quick to make, and those with a gap may lose it once a size becomes known. A
//          layout that is in use stays, whatever it weighs.
class FileLayouts {
 public:
  // Whether `size_of` says anything else of these blobs now. It is called for a file whose blobs do not
  // come to its recorded size.
  using Correct = std::function<bool(std::span<const BlobId> content)>;
  // Both are called by any thread.
  FileLayouts(std::size_t budget_bytes, FileLayout::BlobSize size_of, Correct correct = {});

  // The layout of `file`, which is the entry at `position` of the tree.
  std::shared_ptr<const FileLayout> layout_of(const BlobId& tree, std::uint32_t position,
                                              const Node& file);

 private:
  struct Key {
    BlobId tree;
    std::uint32_t position;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<BlobId>()(key.tree) + key.position;
    }
  };

  FileLayout make(const Node& file) const;

  const FileLayout::BlobSize size_of_;
  const Correct correct_;
  LoadingCache<Key, FileLayout, KeyHash> remembered_;
};

}  // namespace restree
