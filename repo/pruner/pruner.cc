#include "repo/pruner/pruner.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <iterator>
#include <utility>

#include "repo/base/thread_pool.h"
#include "repo/pruner/blob_copier.h"
#include "repo/pruner/kept_marks.h"
#include "repo/pruner/listed_packs.h"
#include "repo/pruner/prune_rounds.h"

namespace restree {
namespace {

// Small and far away: several at once hide the round trips.
constexpr std::size_t kParallelFiles = 8;

Error unreadable_snapshot(const Error& why) {
  return Error(why)
      .with("failed loading snapshot")
      .hinting(
          "Nothing was removed. What it needs is not known. `restree repair snapshots --forget` "
          "removes snapshot files that are damaged.");
}

Error old_index_stays(Error why) {
  // It names packs that would be gone.
  return std::move(why)
      .with("an old index file cannot be removed")
      .hinting(
          "No pack that an index names was removed. Run prune again once files can be removed.");
}

}  // namespace

Pruner::Pruner(Repository& repository, PruneOptions options)
    : repository_(repository), options_(std::move(options)), rules_(options_.rules) {}

Status Pruner::go_on() const {
  if (!options_.bulk.stop.stop_requested()) return {};
  return Error(ErrorKind::kCancelled, "interrupted");
}

Result<std::size_t> Pruner::load_snapshots(const std::set<SnapshotId>& ignored) {
  ignored_ = ignored;
  known_snapshots_ = ignored;
  RETURN_IF_ERROR(load_new_snapshots());
  return roots_.size();
}

Status Pruner::load_new_snapshots() {
  ASSIGN_OR_RETURN(std::vector<SnapshotId> ids, repository_.list_snapshots(soon()));
  const auto is_gone = [&](const SnapshotId& id) {
    return !ignored_.contains(id) && !std::ranges::binary_search(ids, id);
  };
  std::ranges::sort(ids);
  is_any_forgotten_ = std::ranges::any_of(known_snapshots_, is_gone);
  std::erase_if(ids, [&](const SnapshotId& id) { return known_snapshots_.contains(id); });
  Guarded<std::vector<Snapshot>> loaded;
  const auto load = [&](std::size_t i) -> Status {
    RETURN_IF_ERROR(go_on());
    Result<Snapshot> snapshot = repository_.load_snapshot(ids[i], soon());
    if (snapshot) {
      loaded.lock()->push_back(std::move(*snapshot));
      return {};
    }
    const ErrorKind kind = snapshot.error().kind();
    // It was forgotten since it was listed. If not, remove() finds that it is not known.
    if (kind == ErrorKind::kNotFound) return {};
    if (is_hopeless(kind)) return snapshot.error();
    return unreadable_snapshot(snapshot.error());
  };
  RETURN_IF_ERROR(parallel_for(ids.size(), kParallelFiles, load));
  roots_.clear();
  auto snapshots = loaded.lock();
  for (const Snapshot& snapshot : *snapshots) {
    known_snapshots_.insert(snapshot.id);
    roots_.emplace(snapshot.id, snapshot.tree);
  }
  return {};
}

Status Pruner::expect_known_snapshots() {
  ASSIGN_OR_RETURN(const std::vector<SnapshotId> ids, repository_.list_snapshots(soon()));
  for (const SnapshotId& id : ids) {
    if (known_snapshots_.contains(id)) continue;
    return Error(ErrorKind::kUnavailable,
                 fmt::format("snapshot {} has appeared while the repository was locked", id.hex()))
        .hinting(
            "A program that takes no locks has written it. No pack that an index names was "
            "removed. Run prune again, while no such program is at work.");
  }
  return {};
}

Status Pruner::read_index() {
  IndexFiles watch(files_);
  RETURN_IF_ERROR(repository_.refresh_index(soon(), &watch));
  ASSIGN_OR_RETURN(IndexFileContents read, watch.take());
  for (auto& [name, content] : read) files_[name] = std::move(content);
  index_ = std::make_shared<const WholeIndex>(repository_.index_parts());
  return go_on();
}

Status Pruner::load_index() {
  RETURN_IF_ERROR(read_index());
  std::size_t named = 0;
  for (const auto& [name, content] : files_) named += content.blobs;
  if (named >= index_->blob_count()) return {};
  return Error(ErrorKind::kInvalid, "the index was loaded before the prune has begun");
}

Status Pruner::know_all_index_files() {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> listed,
                   repository_.list_files(FileType::kIndex, soon()));
  IndexFileContents now;
  for (const ListedFile& file : listed) {
    const auto known = files_.find(file.name);
    if (known != files_.end()) {
      now.insert(files_.extract(known));
      continue;
    }
    ASSIGN_OR_RETURN(now[file.name], read_index_file(repository_, file.name, *index_, soon()));
  }
  files_ = std::move(now);
  return {};
}

// Only if all snapshots are there whose trees were walked through: what one that is gone used must not
// count as used.
void Pruner::take_up_marks() {
  std::optional<Bytes> sealed = options_.read_marks ? options_.read_marks() : std::nullopt;
  if (!sealed) return;
  const Result<KeptMarks> marks = open_marks(repository_, std::move(*sealed));
  if (!marks) return;
  const auto is_there = [&](const SnapshotId& id) { return roots_.contains(id); };
  if (!std::ranges::all_of(marks->snapshots, is_there)) return;
  std::optional<std::vector<bool>> used = apply_marks(*marks, *index_);
  if (!used) return;
  used_ = std::move(*used);
  for (const SnapshotId& id : marks->snapshots) roots_.erase(id);
  known_before_ = marks->snapshots.size();
}

void Pruner::keep_marks() const {
  if (!options_.keep_marks) return;
  std::vector<SnapshotId> snapshots;
  std::ranges::set_difference(known_snapshots_, ignored_, std::back_inserter(snapshots));
  const auto sealed = seal_marks(repository_, collect_marks(std::move(snapshots), used_, *index_));
  if (sealed) options_.keep_marks(*sealed);
}

Status Pruner::mark_used() {
  const bool is_first = used_.empty();
  if (is_first) take_up_marks();
  std::vector<BlobId> roots;
  for (const auto& [id, tree] : roots_) roots.push_back(tree);
  UsedBlobs used(repository_, index_, std::move(used_), trees_);
  RETURN_IF_ERROR(used.mark(roots, options_.bulk));
  used_ = std::move(used).take();
  if (is_first && !roots.empty()) keep_marks();
  return go_on();
}

Status Pruner::make_plan() {
  ASSIGN_OR_RETURN(std::vector<ListedPack> stored, list_packs(repository_, options_.bulk.patience));
  if (options_.removes_young) {
    for (ListedPack& pack : stored) pack.is_young = false;
  }
  ASSIGN_OR_RETURN(plan_, plan_prune(*index_, used_, std::move(stored), rules_));
  return go_on();
}

Status Pruner::copy(PruneListener& listener) {
  if (plan_.copies.empty()) return {};
  Guarded<std::map<PackId, std::uint64_t>> stored;
  RepositoryWriter::Options writing = options_.writer;
  writing.on_stored = [&](const PackId& pack, std::uint64_t size_bytes) {
    stored.lock()->emplace(pack, size_bytes);
  };
  const bool compresses = writing.compression != Compression::kOff;
  RepositoryWriter writer(repository_, writing, options_.bulk.stop);
  BlobCopier copier(repository_, writer, *index_, compresses, options_.bulk, done_);
  done_ = 0;
  listener.begin(PruneStep::kCopying, plan_.copies.size());
  Status copied = copier.copy(plan_.copies);
  if (copied) copied = writer.flush();
  if (!copied) {
    // The next run goes on from what is stored by now.
    static_cast<void>(writer.finish_early());
    return copied;
  }
  if (done_ != plan_.copies.size()) {
    return Error(ErrorKind::kCorrupt, "not all blobs were copied; nothing was removed");
  }
  listener.end(PruneStep::kCopying);
  repacked_bytes_ += plan_.statistics.repack.bytes;
  new_packs_.merge(*stored.lock());
  return expect_stored();
}

// The last look before anything is removed that the new packs replace.
Status Pruner::expect_stored() const {
  const std::vector<std::pair<PackId, std::uint64_t>> packs(new_packs_.begin(), new_packs_.end());
  return parallel_for(packs.size(), kParallelFiles, [&](std::size_t i) -> Status {
    const auto& [id, expected] = packs[i];
    auto size = repository_.storage().size({FileType::kPack, id.hex()}, soon());
    if (!size) return std::move(size).error().with("a pack that was just stored");
    if (*size == expected) return {};
    return Error(ErrorKind::kCorrupt,
                 fmt::format("pack {} was just stored with {} bytes, and now has {}", id.hex(),
                             expected, *size))
        .hinting("Nothing was removed. The storage does not keep what it is given.");
  });
}

Status Pruner::refresh() {
  for (bool is_second = false;; is_second = true) {
    const std::shared_ptr<const WholeIndex> before = index_;
    RETURN_IF_ERROR(load_new_snapshots());
    RETURN_IF_ERROR(read_index());
    RETURN_IF_ERROR(know_all_index_files());
    Result<std::vector<bool>> moved = move_marks(used_, *before, *index_);
    if (moved) {
      used_ = std::move(*moved);
      return mark_used();
    }
    if (is_second || !is_any_forgotten_) return moved.error();
    // While there was no lock, another prune has removed what only forgotten snapshots used.
    known_snapshots_ = ignored_;
    used_.assign(used_.size(), false);
  }
}

Status Pruner::look_again() {
  RETURN_IF_ERROR(refresh());
  rules_.max_repack_bytes = 0;
  rules_.preferred.clear();
  for (const auto& [pack, size_bytes] : new_packs_) rules_.preferred.push_back(pack);
  return make_plan();
}

Result<std::optional<std::uint64_t>> Pruner::room() const {
  ASSIGN_OR_RETURN(const auto free_bytes, repository_.storage().free_bytes(soon()));
  if (!free_bytes) return std::nullopt;
  return room_for(*free_bytes, options_.keep_free_bytes);
}

std::uint64_t Pruner::bytes_to_store() const {
  return repack_costs(plan_, *index_, rules_).bytes_to_store(options_.writer.pack_bytes);
}

Result<PruneRound> Pruner::plan_round() {
  RETURN_IF_ERROR(refresh());
  const std::uint64_t most = options_.rules.max_repack_bytes;
  rules_.max_repack_bytes = most - std::min(most, repacked_bytes_);
  rules_.repack_only = std::nullopt;
  RETURN_IF_ERROR(make_plan());
  ASSIGN_OR_RETURN(const auto room, this->room());
  PlannedRepack left = repack_costs(plan_, *index_, rules_);
  const auto chosen =
      choose_round(left.costs, room.value_or(UINT64_MAX), options_.writer.pack_bytes);
  std::vector<PackId> packs;
  for (const std::size_t i : chosen) {
    packs.push_back(left.packs[i]);
    left.costs[i].gains = false;
  }
  PruneRound round{.packs = packs.size()};
  round.packs_left =
      static_cast<std::uint64_t>(std::ranges::count(left.costs, true, &RepackCost::gains));
  round.least_bytes = left.least_bytes_to_store(options_.writer.pack_bytes);
  std::ranges::sort(packs);
  rules_.repack_only = std::move(packs);
  RETURN_IF_ERROR(make_plan());
  return round;
}

Status Pruner::remove(PruneListener& listener) {
  RETURN_IF_ERROR(remove_unindexed(listener));
  if (!plan_.changes_index()) return {};
  RETURN_IF_ERROR(expect_known_snapshots());
  RETURN_IF_ERROR(go_on());
  if (options_.removes_first && plan_.copies.empty()) {
    RETURN_IF_ERROR(remove_packs(listener));
    return rewrite_index(listener);
  }
  RETURN_IF_ERROR(rewrite_index(listener));
  return remove_packs(listener);
}

Status Pruner::remove_unindexed(PruneListener& listener) {
  if (plan_.unindexed.empty()) return {};
  std::vector<std::string> names;
  for (const PackId& pack : plan_.unindexed) names.push_back(pack.hex());
  std::optional<Error> failed;
  return remove_files(PruneStep::kRemovingUnindexed, FileType::kPack, names, listener, failed);
}

Status Pruner::save_index(const std::vector<std::uint32_t>& packs) {
  return write_packs(*index_, packs, [&](const std::string& json) -> Status {
    const auto saved = repository_.save_unpacked(FileType::kIndex, as_bytes(json), soon());
    return saved ? Status() : saved.error();
  });
}

Status Pruner::rewrite_index(PruneListener& listener) {
  std::vector<bool> stays(index_->pack_count());
  for (std::size_t i = 0; i < stays.size(); ++i) stays[i] = plan_.fates[i] == PackFate::kKeep;
  const IndexRewrite rewrite = plan_index_rewrite(files_, *index_, stays);
  std::uint64_t blobs = 0;
  for (const std::string& file : rewrite.files) blobs += files_.at(file).blobs;
  ASSIGN_OR_RETURN(const auto room, this->room());
  if (room && most_index_bytes(rewrite.packs.size(), blobs) > *room) {
    return rewrite_index_by_file(stays, listener);
  }
  done_ = 0;
  listener.begin(PruneStep::kWritingIndex, rewrite.files.size());
  RETURN_IF_ERROR(save_index(rewrite.packs));
  done_ = rewrite.files.size();
  listener.end(PruneStep::kWritingIndex);
  RETURN_IF_ERROR(go_on());

  std::optional<Error> failed;
  RETURN_IF_ERROR(
      remove_files(PruneStep::kRemovingIndexes, FileType::kIndex, rewrite.files, listener, failed));
  return failed ? old_index_stays(std::move(*failed)) : Status();
}

Status Pruner::rewrite_index_by_file(const std::vector<bool>& stays, PruneListener& listener) {
  const std::vector<IndexRewrite> steps = plan_index_steps(files_, *index_, stays);
  done_ = 0;
  listener.begin(PruneStep::kWritingIndex, steps.size());
  for (const IndexRewrite& step : steps) {
    RETURN_IF_ERROR(go_on());
    if (Status saved = save_index(step.packs); !saved) {
      return std::move(saved)
          .error()
          .with("an index file cannot be written anew")
          .hinting(
              "No pack that an index names was removed by this. If the storage is full, "
              "--unsafe-recover-no-free-space removes packs first.");
    }
    const FileName file{FileType::kIndex, step.files.front()};
    Status removed = repository_.storage().remove(file, soon());
    if (!removed && removed.error().kind() != ErrorKind::kNotFound) {
      return old_index_stays(std::move(removed).error());
    }
    ++done_;
  }
  listener.end(PruneStep::kWritingIndex);
  return {};
}

Status Pruner::remove_packs(PruneListener& listener) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < plan_.fates.size(); ++i) {
    const PackFate fate = plan_.fates[i];
    if (fate == PackFate::kRemove || fate == PackFate::kRepack) {
      names.push_back(index_->packs()[i].hex());
    }
  }
  if (names.empty()) return {};
  std::optional<Error> failed;
  return remove_files(PruneStep::kRemovingPacks, FileType::kPack, names, listener, failed);
}

Status Pruner::remove_files(PruneStep step, FileType type, const std::vector<std::string>& names,
                            PruneListener& listener, std::optional<Error>& failed) {
  done_ = 0;
  listener.begin(step, names.size());
  Mutex reporting;
  const auto remove = [&](std::size_t i) -> Status {
    RETURN_IF_ERROR(go_on());
    const FileName file{type, names[i]};
    const Status removed = repository_.storage().remove(file, soon());
    if (removed || removed.error().kind() == ErrorKind::kNotFound) {
      ++done_;
      return {};
    }
    if (removed.error().kind() == ErrorKind::kLocked) return removed;
    const MutexLock lock(reporting);
    listener.not_removed(relative_path(file), removed.error());
    if (!failed) failed = removed.error();
    return {};
  };
  RETURN_IF_ERROR(parallel_for(names.size(), options_.removals, remove));
  listener.end(step);
  return {};
}

}  // namespace restree
