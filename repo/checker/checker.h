// Checks a repository: index against storage, snapshots against index, and, if asked, every byte.
//
// The steps are called in the order of their declarations; each reports to the listener what it
// finds.
//
// Ownership: repository and listener must outlive it.
// Threads:   one calls; several do the work.
// Limits:    see checked_packs.h and checked_trees.h; reading data holds a stretch of a pack a thread, or a
//            whole pack where that is not what the index says.
// Errors:    damage is reported as a finding. Only what prevents the check itself is returned:
//            kUnavailable, kDenied, kCancelled.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "repo/checker/check_report.h"
#include "repo/checker/checked_packs.h"
#include "repo/checker/checked_trees.h"
#include "repo/checker/damage.h"
#include "repo/checker/pack_subset.h"
#include "repo/checker/read_times.h"

namespace restree {

class Checker {
 public:
  Checker(Repository& repository, CheckListener& listener, BulkOptions bulk)
      : repository_(repository), listener_(listener), bulk_(std::move(bulk)) {}

  // Reads the index; the repository must not have one yet.
  Status load_index();
  Status check_packs();
  // `only_these`: check only these snapshots, and afterwards read only their packs.
  Status check_trees(const std::vector<BlobId>& roots, bool only_these);
  // The numbers of the packs to read.
  std::vector<std::uint32_t> choose(const PackSubset& subset) const;
  // No pack but the first is begun after `end`.
  Status read_packs(const std::vector<std::uint32_t>& numbers, Deadline end = Deadline::never());

  // When packs were read before, for choose(); those that the index does not name are left out. To be
  // called once the index is loaded.
  void use_read_times(const ReadTimes& times);
  // The same, with what read_packs() has found right since; without what it has found damaged.
  const ReadTimes& read_times() const { return read_times_; }
  ReadAges read_ages() const { return ages_of(packs_.index().packs(), read_times_); }

  // Counts and reports a snapshot that could not be loaded, by the error of Repository::load_snapshot.
  void note_broken_snapshot(const SnapshotId& id, const Error& error);
  // Counts and reports something that was to be checked and is not there.
  void note_unchecked(const std::string& what, const Error& why);
  const CheckFindings& findings() const { return findings_; }
  // What the steps so far have found to be damaged. Once the index is loaded.
  const Damage& damage() const { return damage_; }
  const BulkOptions& bulk() const { return bulk_; }
  std::size_t pack_count() const { return packs_.count(); }
  // How many packs read_packs() has read so far. Any thread.
  std::uint64_t packs_read() const { return packs_read_; }

 private:
  Deadline soon() const { return Deadline::after(bulk_.patience); }

  Repository& repository_;
  CheckListener& listener_;
  const BulkOptions bulk_;
  CheckFindings findings_;
  Damage damage_;
  CheckedPacks packs_;
  std::optional<CheckedTrees> trees_;
  bool only_used_packs_ = false;
  ReadTimes read_times_;
  std::atomic<std::uint64_t> packs_read_ = 0;
};

}  // namespace restree
