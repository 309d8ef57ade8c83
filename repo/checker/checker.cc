#include "repo/checker/checker.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <random>
#include <thread>

#include "repo/base/guarded.h"
#include "repo/base/thread_pool.h"
#include "repo/checker/pack_check.h"
#include "repo/identity.h"

namespace restree {

Status Checker::load_index() {
  RETURN_IF_ERROR(repository_.refresh_index(soon(), &packs_));
  auto parts = repository_.index_parts();
  if (parts.empty()) parts.push_back(IndexBuilder().build(1));
  packs_.take_index(parts.front(), listener_, findings_);
  damage_.use_index(parts.front());
  return {};
}

Status Checker::check_packs() {
  return packs_.compare_with_storage(repository_.storage(), soon(), listener_, findings_, damage_);
}

void Checker::note_broken_snapshot(const SnapshotId& id, const Error& error) {
  findings_.damaged = true;
  findings_.broken_snapshots.insert(id);
  listener_.error("error: " + error.message());
}

void Checker::note_unchecked(const std::string& what, const Error& why) {
  ++findings_.errors;
  ++findings_.unchecked;
  listener_.error(fmt::format("error: cannot check \"{}\": {}", what, why.message()));
}

Status Checker::check_trees(const std::vector<BlobId>& roots, bool only_these) {
  only_used_packs_ = only_these;
  trees_.emplace(repository_,
                 std::shared_ptr<const Index>(repository_.index_parts().empty()
                                                  ? IndexBuilder().build(1)
                                                  : repository_.index_parts().front()),
                 only_these, listener_, findings_, damage_);
  RETURN_IF_ERROR(trees_->check(roots, bulk_));
  for (const std::uint32_t number : trees_->packs_of_unreadable()) {
    if (!packs_.is_missing(number)) findings_.packs_of_unreadable_trees.insert(packs_.id(number));
  }
  return {};
}

std::vector<std::uint32_t> Checker::choose(const PackSubset& subset) const {
  std::vector<bool> wanted(packs_.count(), !only_used_packs_);
  if (only_used_packs_ && trees_) {
    const std::vector<bool> used = trees_->used();
    for (const auto& entry : packs_.index().entries()) {
      const auto first = packs_.index().position(entry.type(), entry.id);
      if (first && used[*first]) wanted[entry.pack_number()] = true;
    }
  }
  std::vector<PackToRead> packs;
  for (std::uint32_t i = 0; i < wanted.size(); ++i) {
    // That it is missing has been said.
    if (!wanted[i] || packs_.is_missing(i)) continue;
    const auto read = read_times_.find(packs_.id(i));
    packs.push_back(
        {.number = i,
         .id = packs_.id(i),
         .size_bytes = packs_.size(i),
         .last_read = read == read_times_.end() ? std::nullopt : std::optional(read->second)});
  }
  std::vector<std::uint32_t> numbers;
  for (const PackToRead& pack : choose_packs(subset, std::move(packs), std::random_device{}())) {
    numbers.push_back(pack.number);
  }
  return numbers;
}

Status Checker::read_packs(const std::vector<std::uint32_t>& numbers, Deadline end) {
  Mutex reporting;
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const bool waits = repository_.storage().read_habit().waits;
  const std::size_t threads = waits ? bulk_.threads : std::min(bulk_.threads, processors);
  return parallel_for(numbers.size(), threads, [&](std::size_t i) -> Status {
    if (bulk_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
    if (i > 0 && end.expired()) return {};
    const PackId& pack = packs_.id(numbers[i]);
    ASSIGN_OR_RETURN(const PackVerdict verdict,
                     check_pack(repository_, packs_, numbers[i], soon()));
    const std::vector<std::string>& wrong = verdict.wrong;
    ++packs_read_;
    const MutexLock lock(reporting);
    if (wrong.empty()) {
      read_times_[pack] = wall_clock_now().seconds;
      return {};
    }
    read_times_.erase(pack);
    for (const std::uint32_t position : verdict.damaged) damage_.add_place(position);
    findings_.misplaced_blobs += verdict.misplaced;
    ++findings_.errors;
    findings_.damaged = true;
    findings_.broken_packs.insert(pack);
    listener_.error(fmt::format("pack {} contains {} errors: [{}]", pack.hex(), wrong.size(),
                                fmt::join(wrong, "; ")));
    return {};
  });
}

void Checker::use_read_times(const ReadTimes& times) {
  for (const PackId& pack : packs_.index().packs()) {
    if (const auto found = times.find(pack); found != times.end()) read_times_.insert(*found);
  }
}

}  // namespace restree
