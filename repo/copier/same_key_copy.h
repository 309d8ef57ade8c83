// Copies what snapshots need between repositories with one master key: whole packs byte for byte, and
// blob by blob only what is wanted of packs that hold something else as well.
//
// What all snapshots of a run need is found out first: a pack may hold what several of them need. A
// pack is stored only if it has the hash that its name says, and if its header says what the source's
// index says. Any other is copied blob by blob; from then on each snapshot is walked through again, so
// that it is left out if it needs what is damaged.
//
// Ownership: source, writer, blobs and listener must outlive it.
// Threads:   one calls; several read and store.
// Limits:    16 bytes for each blob of the source; one pack a thread.
// Errors:    kNotFound, kCorrupt: of copy() alone, and about that snapshot: the source lacks a part of
//            it. Others: those of the storages.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/bulk/bulk_load.h"
#include "repo/copier/blob_copy.h"
#include "repo/copier/copy_listener.h"
#include "repo/copier/pack_plan.h"
#include "repo/index/index.h"
#include "repo/index/pack_contents.h"
#include "repo/repository.h"
#include "repo/writer/repository_writer.h"

namespace restree {

class SameKeyCopy {
 public:
  SameKeyCopy(Repository& source, RepositoryWriter& writer, BlobCopy& blobs, BulkOptions bulk,
              CopyListener& listener);

  // Whether packs of the one may be packs of the other: they have one master key, and one version,
  // as packs of version 2 are compressed.
  static bool is_possible(const Repository& source, const Repository& destination);

  // Walks through these trees and finds out what the destination lacks. The place of each is the turn
  // of its snapshot; without a tree it has none. Must be called once, before copy().
  Status plan(const std::vector<std::optional<BlobId>>& roots);
  // Copies what the snapshot of this turn needs and earlier ones do not. Turns must come in order.
  Status copy(CopyTurn turn, const BlobId& root);

 private:
  static constexpr std::size_t kBatch = 4096;

  // What was marked for one snapshot: positions in the index.
  struct Marks {
    CopyTurn turn;
    std::vector<std::uint32_t> walked;
    std::vector<std::uint32_t> wanted;
  };

  Deadline soon() const { return Deadline::after(bulk_.patience); }
  Status walk(const BlobId& root, Marks& marks);
  Status mark_below(ByteView tree, Marks& marks, std::vector<BlobId>& waiting) EXCLUDES(mutex_);
  // Notes that the tree is to be walked through, unless it was before.
  Status mark_tree(const BlobId& tree, Marks& marks, std::vector<BlobId>& waiting) REQUIRES(mutex_);
  Status mark_data(const BlobId& data, Marks& marks) REQUIRES(mutex_);
  void mark_wanted(std::size_t position, Marks& marks) REQUIRES(mutex_);
  void undo(const Marks& marks) EXCLUDES(mutex_);

  CopyFigures figures(const CopyPart& part) const;
  Status copy_pack(std::uint32_t number);
  bool agrees_with_index(std::uint32_t number, std::span<const IndexedBlob> blobs) const;
  // Returns the number of packs that they are in.
  std::size_t count_packs(std::span<const std::uint32_t> positions) const;
  Status copy_singly(std::span<const std::uint32_t> positions);

  Repository& source_;
  RepositoryWriter& writer_;
  BlobCopy& blobs_;
  const BulkOptions bulk_;
  CopyListener& listener_;
  const std::shared_ptr<const Index> index_;  // of the source
  const PackContents contents_;
  Mutex mutex_;
  std::vector<bool> walked_ GUARDED_BY(mutex_);     // by the position of a tree's first entry
  std::vector<CopyTurn> turns_ GUARDED_BY(mutex_);  // the same of any blob
  std::vector<bool> unplanned_;                     // by turn: the walk found damage
  std::vector<CopyPart> parts_;
  // Whether all that was planned for earlier turns is stored.
  std::atomic<bool> plan_holds_ = true;
};

}  // namespace restree
