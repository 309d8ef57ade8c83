// Removes from a repository what no snapshot needs.
//
// The steps are called in the order of their declarations. Until copy() has ended a shared lock is
// enough: they only add to the repository, while others may back up to it. remove() needs an
// exclusive lock, and look_again() before it, called under that lock, unless the lock was exclusive
// from the beginning. A dry run ends with make_plan(). Whenever the process ends, every blob that a
// snapshot needs is in a pack, and an index file names it there:
// - New packs are stored and indexed before any old index file or pack goes.
// - New index files are all stored before an old one goes, and the old ones are all gone before a pack
//   goes. What a killed run leaves are duplicates, which the next one counts and removes.
// - What is removed was not in use while the exclusive lock was held, whatever was decided before.
// Each removal is preceded by a look at the run's own lock (WriteGate).
//
// Ownership: the repository must outlive it.
// Threads:   one calls; several do the work.
// Limits:    the index (once more in look_again(), if anything was added to it), a bit and eight
//            bytes for each of its entries, 150 bytes a pack, and what RepositoryWriter and BulkLoader
//            take.
// Errors:    kCorrupt: the repository is damaged; nothing was removed that it had indexed. kCancelled.
//            kLocked: the lock is gone. Others: those of the storage.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/bulk/bulk_load.h"
#include "repo/pruner/index_files.h"
#include "repo/pruner/prune_plan.h"
#include "repo/pruner/used_blobs.h"
#include "repo/repository.h"
#include "repo/writer/repository_writer.h"

namespace restree {

enum class PruneStep : std::uint8_t {
  kRemovingUnindexed,
  kCopying,
  kWritingIndex,
  kRemovingIndexes,
  kRemovingPacks,
};

// Threads: one at a time.
class PruneListener {
 public:
  virtual ~PruneListener() = default;
  // `total`: how many blobs or files; they are counted by Pruner::done().
  virtual void begin(PruneStep step, std::uint64_t total) = 0;
  virtual void end(PruneStep step) = 0;
  // A file could not be removed; that costs space only.
  virtual void not_removed(const std::string& file, const Error& error) = 0;
};

struct PruneOptions {
  PruneRules rules = {};
  // Packs in no index are removed whatever their age. Only for a repository to which no program
  // writes without a lock.
  bool removes_young = false;
  // For a storage without free space: unused packs are removed before the index is written anew.
  // A process killed in between leaves index files that name packs which are gone, though none that
  // is needed. Nothing is repacked.
  bool removes_first = false;
  RepositoryWriter::Options writer = {};
  BulkOptions bulk = {};
  std::size_t removals = 5;  // at a time
};

class Pruner {
 public:
  Pruner(Repository& repository, PruneOptions options);

  // Loads all snapshots but those that are `ignored`; returns how many there are. Any that cannot be
  // read is an error.
  Result<std::size_t> load_snapshots(const std::set<SnapshotId>& ignored);
  // Reads the index, after the snapshots: one that comes later needs nothing that this does not
  // know or leave alone. The repository must not have an index yet.
  Status load_index();
  Status mark_used();
  // Lists the packs, and decides what becomes of each.
  Status make_plan();
  const PrunePlan& plan() const { return plan_; }
  const Index& index() const { return *index_; }
  // Copies what is in use out of the packs that are to be repacked.
  Status copy(PruneListener& listener);
  // Brings all that is known up to date, and makes a plan that repacks nothing: packs that are in
  // use by now stay, also those that were to be repacked.
  Status look_again();
  Status remove(PruneListener& listener);

  // How many trees mark_used() has read, and how much of its step copy() or remove() has done. Any
  // thread.
  std::uint64_t trees() const { return trees_; }
  std::uint64_t done() const { return done_; }

 private:
  Deadline soon() const { return Deadline::after(options_.bulk.patience); }
  Status go_on() const;
  Status read_index();
  Status know_all_index_files();
  // Those that are not known yet.
  Status load_new_snapshots();
  Result<std::vector<ListedPack>> list_packs() const;
  Status expect_known_snapshots();
  Status expect_stored() const;
  Status rewrite_index(PruneListener& listener);
  Status remove_unindexed(PruneListener& listener);
  Status remove_packs(PruneListener& listener);
  // Goes on after a file that cannot be removed; the first such error is kept in `failed`. A file
  // that is not there counts as removed.
  Status remove_files(PruneStep step, FileType type, const std::vector<std::string>& names,
                      PruneListener& listener, std::optional<Error>& failed);

  Repository& repository_;
  const PruneOptions options_;
  PruneRules rules_;
  std::shared_ptr<const Index> index_;
  IndexFileContents files_;
  std::set<SnapshotId> known_snapshots_;  // the ignored ones among them
  std::vector<BlobId> roots_;             // of those loaded last
  std::vector<bool> used_;
  PrunePlan plan_;
  std::map<PackId, std::uint64_t> new_packs_;  // with their sizes
  std::atomic<std::uint64_t> trees_ = 0;
  std::atomic<std::uint64_t> done_ = 0;
};

}  // namespace restree
