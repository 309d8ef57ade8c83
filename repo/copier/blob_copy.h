// Copies the blobs of one snapshot after the other: trees as they are walked, then data, in the order
// in which they lie in packs. Each tree of the source is read once, and each blob that lacks.
//
// Ownership: source, writer and listener must outlive it.
// Threads:   one calls; several read and save.
// Limits:    60 bytes for each tree of all snapshots; 100 for each data blob that one of them adds.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/bulk/bulk_load.h"
#include "repo/copier/copy_listener.h"
#include "repo/repository.h"
#include "repo/writer/repository_writer.h"

namespace restree {

class BlobCopy {
 public:
  BlobCopy(Repository& source, RepositoryWriter& writer, BulkOptions bulk, CopyListener& listener)
      : source_(source), writer_(writer), bulk_(std::move(bulk)), listener_(listener) {}

  // Saves what the writer does not know of this tree and all below it. kNotFound, kCorrupt: the source
  // lacks a part of it or has it damaged; other trees may be copied all the same. Others: those of
  // BulkLoader and of the writer.
  Status copy(const BlobId& root);

 private:
  static constexpr std::size_t kBatch = 4096;

  // A blob of data, with its turn in the walk.
  struct Lacking {
    BlobId id;
    std::uint64_t turn;
  };
  // What one snapshot needs that is not there.
  struct Needs {
    std::vector<BlobId> trees;  // those that it was the first to need
    std::vector<Lacking> data;  // an id may come several times
    std::size_t shrink_at = 1 << 16;
    std::uint64_t turns = 0;
    CopyFigures figures;                                   // of trees
    std::unordered_map<PackId, std::uint32_t> packs = {};  // of the source, numbered
  };

  Status copy_trees(const BlobId& root);
  // `frame`: the JSON as it is compressed, or empty.
  Status copy_tree(const BlobId& id, ByteView json, ByteView frame, std::vector<BlobId>& waiting);
  Status copy_data();
  bool is_new(const BlobId& tree) REQUIRES(mutex_);
  void need_data(const std::vector<BlobId>& ids) REQUIRES(mutex_);
  // Leaves the first of each id, in the order of their turns.
  static void shrink(std::vector<Lacking>& data);

  Repository& source_;
  RepositoryWriter& writer_;
  const BulkOptions bulk_;
  CopyListener& listener_;
  Mutex mutex_;
  std::unordered_set<BlobId> walked_ GUARDED_BY(mutex_);
  Needs needs_ GUARDED_BY(mutex_);
};

}  // namespace restree
