// Removes from a repository what no snapshot needs.
//
// The steps are called in the order of their declarations, apart from rounds. Until copy() has ended a
// shared lock is enough: they only add to the repository, while others may back up to it. remove() needs
// an exclusive lock, and look_again() before it, called under that lock, unless the lock was exclusive
// from the beginning. A dry run ends with make_plan(). Whenever the process ends, every blob that a
// snapshot needs is in a pack, and an index file names it there:
// - New packs are stored and indexed before any old index file or pack goes.
// - An old index file goes once a new one names the packs of it that stay, and all old ones are gone
//   before a pack goes. What a killed run leaves are duplicates, which the next one counts and removes.
// - What is removed was not in use while the exclusive lock was held, whatever was decided before.
// Each removal is preceded by a look at the run's own lock (WriteGate).
//
// Rounds (repo/pruner/pruning_in_rounds.h) are for a storage with little free space: plan_round() takes
// the place of make_plan(), and copy(), look_again() and remove() follow, again and again. What holds for
// the steps holds for each round. The lock may change from round to round: plan_round() begins by finding
// out what has come and gone.
//
// Ownership: the repository must outlive it.
// Threads:   one calls; several do the work.
// Limits:    the index, with what is added to it meanwhile, a bit and eight bytes for each of its
//            entries, 150 bytes a pack, and what RepositoryWriter, BlobCopier and BulkLoader take.
// Errors:    kCorrupt: the repository is damaged; nothing was removed that it had indexed. kCancelled.
//            kLocked: the lock is gone. Others: those of the storage.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
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
  // So much stays free on the storage: copies take what is beyond. An index file may take some of it, as
  // without one nothing could be removed.
  std::uint64_t keep_free_bytes = std::uint64_t{64} << 20;
  // For a storage without free space: unused packs are removed before the index is written anew.
  // A process killed in between leaves index files that name packs which are gone, though none that
  // is needed. Nothing is repacked.
  bool removes_first = false;
  RepositoryWriter::Options writer = {};
  BulkOptions bulk = {};
  // What one run has found out to be in use is kept for the next (kept_marks.h), sealed. What comes back
  // may be damaged, old, or nothing.
  std::function<std::optional<Bytes>()> read_marks = {};
  std::function<void(ByteView sealed)> keep_marks = {};
  std::size_t removals = 16;  // at a time
};

// What one round does, and what it leaves.
struct PruneRound {
  std::uint64_t packs = 0;        // repacked in this round
  std::uint64_t packs_left = 0;   // that are to be repacked and would give space back
  std::uint64_t least_bytes = 0;  // what has to be free to repack one of those left, and stay so
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
  // In place of make_plan(), with what others have changed: repacks only what there is room for.
  Result<PruneRound> plan_round();
  const PrunePlan& plan() const { return plan_; }
  const WholeIndex& index() const { return *index_; }
  // Copies what is in use out of the packs that are to be repacked.
  Status copy(PruneListener& listener);
  // Brings all that is known up to date, and makes a plan that repacks nothing: packs that are in
  // use by now stay, also those that were to be repacked.
  Status look_again();
  Status remove(PruneListener& listener);

  // How much may be written now so that enough stays free; nullopt: the storage does not say.
  Result<std::optional<std::uint64_t>> room() const;
  // What the copies of the plan take, all at once, at most.
  std::uint64_t bytes_to_store() const;

  // How many snapshots mark_used() need not walk through, as an earlier run has done that.
  std::size_t known_before() const { return known_before_; }
  // How many trees mark_used() has read, and how much of its step copy() or remove() has done. Any
  // thread.
  std::uint64_t trees() const { return trees_; }
  std::uint64_t done() const { return done_; }

 private:
  Deadline soon() const { return Deadline::after(options_.bulk.patience); }
  Status go_on() const;
  Status read_index();
  Status know_all_index_files();
  // Snapshots, index and marks as they are by now.
  Status refresh();
  // Those that are not known yet.
  Status load_new_snapshots();
  void take_up_marks();
  void keep_marks() const;
  Status expect_known_snapshots();
  Status expect_stored() const;
  Status rewrite_index(PruneListener& listener);
  // Where there is room for one index file, but not for all that are to be written anew.
  Status rewrite_index_by_file(const std::vector<bool>& stays, PruneListener& listener);
  Status save_index(const std::vector<std::uint32_t>& packs);
  Status remove_unindexed(PruneListener& listener);
  Status remove_packs(PruneListener& listener);
  // Goes on after a file that cannot be removed; the first such error is kept in `failed`. A file
  // that is not there counts as removed.
  Status remove_files(PruneStep step, FileType type, const std::vector<std::string>& names,
                      PruneListener& listener, std::optional<Error>& failed);

  Repository& repository_;
  const PruneOptions options_;
  PruneRules rules_;
  std::shared_ptr<const WholeIndex> index_;
  IndexFileContents files_;
  std::set<SnapshotId> ignored_;
  std::set<SnapshotId> known_snapshots_;  // the ignored ones among them
  bool is_any_forgotten_ = false;         // of the known ones
  std::map<SnapshotId, BlobId> roots_;    // of those loaded last
  std::size_t known_before_ = 0;
  std::vector<bool> used_;
  PrunePlan plan_;
  std::map<PackId, std::uint64_t> new_packs_;  // with their sizes
  std::uint64_t repacked_bytes_ = 0;           // in the rounds so far
  std::atomic<std::uint64_t> trees_ = 0;
  std::atomic<std::uint64_t> done_ = 0;
};

}  // namespace restree
