#include "repo/pruner/prune_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "repo/format/pack_header.h"

namespace restree {
namespace {

// Packs that are smaller than four fifths of the larger of these two are small: this, and the size
// below which this part of all packs lies.
constexpr std::uint64_t kLeastPackBytes = 4 << 20;
constexpr std::size_t kSmallestPercent = 3;
// Fewer small packs than this stay as they are: a single one would be repacked for ever.
constexpr std::size_t kFewestSmallPacks = 10;
// Messages name so many packs.
constexpr std::size_t kMostNamed = 10;

struct PackCount {
  std::uint32_t used_blobs = 0;
  std::uint32_t unused_blobs = 0;     // duplicates among them
  std::uint32_t duplicate_blobs = 0;  // in use, but not from here
  std::uint64_t used_bytes = 0;
  std::uint64_t unused_bytes = 0;
  bool has_data = false;
  bool has_trees = false;
  bool is_uncompressed = false;

  std::uint64_t bytes() const { return used_bytes + unused_bytes; }
  // The header counts as used, so there is always something.
  double unused_share() const {
    return static_cast<double>(unused_bytes) / static_cast<double>(used_bytes);
  }
  bool is_mixed() const { return has_data && has_trees; }
  bool is_only_data() const { return has_data && !has_trees; }
  bool is_only_trees() const { return has_trees && !has_data; }
};

struct Candidate {
  std::uint32_t pack;
  bool must_compress;
};

std::string named(const std::vector<PackId>& packs) {
  std::string list;
  for (std::size_t i = 0; i < std::min(packs.size(), kMostNamed); ++i) list += " " + packs[i].hex();
  if (packs.size() > kMostNamed) list += fmt::format(" and {} more", packs.size() - kMostNamed);
  return list;
}

class Planner {
 public:
  Planner(const WholeIndex& index, const std::vector<bool>& used, const PruneRules& rules)
      : index_(index), used_(used), rules_(rules), packs_(index.pack_count()) {}

  Result<PrunePlan> plan(std::vector<ListedPack> stored);

 private:
  // The positions of a blob's entries.
  using Places = std::span<const std::uint32_t>;
  bool is_preferred(std::uint32_t pack) const {
    return std::ranges::binary_search(rules_.preferred, index_.packs()[pack]);
  }
  bool may_be_repacked(std::uint32_t pack) const {
    if (is_preferred(pack)) return false;
    return !rules_.repack_only ||
           std::ranges::binary_search(*rules_.repack_only, index_.packs()[pack]);
  }
  // By the ids of their packs.
  std::vector<std::uint32_t> in_order(Places places) const;

  void count();
  void choose_one_of_each();
  void count_as_used(std::uint32_t position);
  std::uint64_t small_limit() const;
  Status look_at(const std::vector<ListedPack>& stored);
  void look_at_unindexed(const ListedPack& pack);
  Status look_at_missing(const std::vector<bool>& is_there);
  void decide(std::uint32_t number);
  void remove(std::uint32_t number, PackFate fate);
  void order_candidates();
  void choose_repacked();
  void repack(std::uint32_t number);
  Status choose_copies();

  const WholeIndex& index_;
  const std::vector<bool>& used_;
  const PruneRules& rules_;
  std::vector<PackCount> packs_;
  std::uint64_t small_limit_ = 0;
  std::vector<Candidate> candidates_;
  std::vector<Candidate> small_candidates_;
  PrunePlan plan_;
};

std::vector<std::uint32_t> Planner::in_order(Places places) const {
  std::vector<std::uint32_t> positions(places.begin(), places.end());
  std::ranges::sort(positions, {}, [&](std::uint32_t i) {
    const IndexEntry entry = index_.entry(i);
    return std::tuple(index_.packs()[entry.pack_number()], entry.offset);
  });
  return positions;
}

void Planner::count() {
  PruneStatistics& sum = plan_.statistics;
  for (PackCount& pack : packs_) pack.used_bytes = kPackOverheadBytes;
  index_.each_blob([&](Places places) {
    const bool is_used = used_[places.front()];
    const bool is_duplicate = is_used && places.size() > 1;
    for (const std::uint32_t position : places) {
      const IndexEntry entry = index_.entry(position);
      PackCount& pack = packs_[entry.pack_number()];
      pack.used_bytes += pack_header_entry_bytes(entry.blob());
      (entry.type() == BlobType::kTree ? pack.has_trees : pack.has_data) = true;
      if (entry.raw_length == 0) pack.is_uncompressed = true;
      ++(is_used && !is_duplicate ? pack.used_blobs : pack.unused_blobs);
      if (is_duplicate) ++pack.duplicate_blobs;
      (is_used && !is_duplicate ? pack.used_bytes : pack.unused_bytes) += entry.length;
      PruneStatistics::Amount& amount =
          is_duplicate ? sum.duplicate : (is_used ? sum.used : sum.unused);
      ++amount.blobs;
      amount.bytes += entry.length;
    }
  });
}

void Planner::count_as_used(std::uint32_t position) {
  const IndexEntry entry = index_.entry(position);
  PackCount& pack = packs_[entry.pack_number()];
  ++pack.used_blobs;
  --pack.unused_blobs;
  --pack.duplicate_blobs;
  pack.used_bytes += entry.length;
  pack.unused_bytes -= entry.length;
  PruneStatistics& sum = plan_.statistics;
  ++sum.used.blobs;
  --sum.duplicate.blobs;
  sum.used.bytes += entry.length;
  sum.duplicate.bytes -= entry.length;
}

// Of a blob in several places, one counts as used: in a pack of which nothing is unused otherwise, as
// those that an interrupted prune has written, so that it need not be copied again; else in one of which
// more is in use; else the last one.
void Planner::choose_one_of_each() {
  index_.each_blob([&](Places unordered) {
    if (!used_[unordered.front()] || unordered.size() == 1) return;
    const std::vector<std::uint32_t> places = in_order(unordered);
    const auto is_best = [&](std::uint32_t position) {
      const PackCount& pack = packs_[index_.entry(position).pack_number()];
      return pack.duplicate_blobs == pack.unused_blobs;
    };
    const auto is_good = [&](std::uint32_t position) {
      return packs_[index_.entry(position).pack_number()].used_blobs > 0;
    };
    auto good = std::ranges::find_if(places, [&](std::uint32_t position) {
      return is_preferred(index_.entry(position).pack_number());
    });
    if (good == places.end()) good = std::ranges::find_if(places, is_best);
    if (good == places.end()) good = std::ranges::find_if(places, is_good);
    count_as_used(good != places.end() ? *good : places.back());
  });
}

std::uint64_t Planner::small_limit() const {
  if (rules_.small_pack_bytes) return *rules_.small_pack_bytes;
  if (packs_.empty()) return 0;
  std::vector<std::uint64_t> sizes;
  sizes.reserve(packs_.size());
  for (const PackCount& pack : packs_) sizes.push_back(pack.bytes());
  const auto at =
      sizes.begin() + static_cast<std::ptrdiff_t>(kSmallestPercent * sizes.size() / 100);
  std::ranges::nth_element(sizes, at);
  return std::max(kLeastPackBytes, *at) * 4 / 5;
}

void Planner::look_at_unindexed(const ListedPack& pack) {
  PruneStatistics& sum = plan_.statistics;
  if (pack.is_young) {
    ++sum.young_packs;
    sum.young_bytes += pack.size_bytes;
    return;
  }
  plan_.unindexed.push_back(pack.id);
  ++sum.packs.unreferenced;
  sum.unreferenced_bytes += pack.size_bytes;
}

Status Planner::look_at(const std::vector<ListedPack>& stored) {
  std::vector<std::pair<PackId, std::uint32_t>> known;
  known.reserve(packs_.size());
  for (std::uint32_t i = 0; i < packs_.size(); ++i) known.emplace_back(index_.packs()[i], i);
  std::ranges::sort(known);
  std::vector<bool> is_there(packs_.size());
  std::vector<PackId> wrong;
  std::string sizes;
  for (const ListedPack& pack : stored) {
    const auto found =
        std::ranges::lower_bound(known, pack.id, {}, [](const auto& one) { return one.first; });
    if (found == known.end() || found->first != pack.id) {
      look_at_unindexed(pack);
      continue;
    }
    const std::uint32_t number = found->second;
    is_there[number] = true;
    const PackCount& counted = packs_[number];
    if (counted.used_blobs > 0 && counted.bytes() != pack.size_bytes) {
      if (wrong.empty()) {
        sizes = fmt::format("; that of the first is {} bytes, and should be {}", pack.size_bytes,
                            counted.bytes());
      }
      wrong.push_back(pack.id);
      continue;
    }
    decide(number);
  }
  if (!wrong.empty()) {
    return Error(ErrorKind::kCorrupt,
                 "packs whose size is not what the index says:" + named(wrong) + sizes)
        .hinting(
            "Nothing was removed. Run `restree repair index`, then `restree check`; prune again "
            "if that finds no more errors.");
  }
  return look_at_missing(is_there);
}

Status Planner::look_at_missing(const std::vector<bool>& is_there) {
  std::vector<PackId> needed;
  for (std::uint32_t number = 0; number < packs_.size(); ++number) {
    if (is_there[number]) continue;
    if (packs_[number].used_blobs > 0) {
      needed.push_back(index_.packs()[number]);
    } else {
      remove(number, PackFate::kMissing);
    }
  }
  if (needed.empty()) return {};
  std::ranges::sort(needed);
  return Error(ErrorKind::kCorrupt,
               "packs that the index names and snapshots need are missing:" + named(needed))
      .hinting(
          "Nothing was removed. If there is another copy of the repository, take them from "
          "there; else run `restree repair index` and `restree repair snapshots --forget`.");
}

void Planner::remove(std::uint32_t number, PackFate fate) {
  const PackCount& pack = packs_[number];
  plan_.fates[number] = fate;
  plan_.statistics.removed.blobs += pack.unused_blobs;
  plan_.statistics.removed.bytes += pack.unused_bytes;
  if (fate == PackFate::kRemove) ++plan_.statistics.packs.removed;
}

void Planner::decide(std::uint32_t number) {
  const PackCount& pack = packs_[number];
  PruneStatistics& sum = plan_.statistics;
  ++(pack.used_blobs == 0 ? sum.packs.unused
                          : (pack.unused_blobs == 0 ? sum.packs.used : sum.packs.partly_used));
  if (pack.is_uncompressed) sum.uncompressed_bytes += pack.bytes();
  const bool must_compress = rules_.format_version >= 2 && pack.is_uncompressed &&
                             (pack.is_only_trees() || rules_.repack_uncompressed);
  if (pack.used_blobs == 0) {
    remove(number, PackFate::kRemove);
  } else if (rules_.only_cacheable && pack.is_only_data()) {
    // kept
  } else if (pack.unused_blobs > 0 || pack.is_mixed() || must_compress) {
    candidates_.push_back({number, must_compress});
  } else if (pack.bytes() < small_limit_) {
    small_candidates_.push_back({number, must_compress});
  }
}

void Planner::order_candidates() {
  if (small_candidates_.size() >= kFewestSmallPacks) {
    candidates_.insert(candidates_.end(), small_candidates_.begin(), small_candidates_.end());
  }
  std::ranges::sort(candidates_, [&](const Candidate& a, const Candidate& b) {
    const PackCount& x = packs_[a.pack];
    const PackCount& y = packs_[b.pack];
    if (x.is_only_data() != y.is_only_data()) return y.is_only_data();
    const bool x_is_small = x.bytes() < small_limit_;
    if (x_is_small != (y.bytes() < small_limit_)) return x_is_small;
    if (x.unused_share() != y.unused_share()) return x.unused_share() > y.unused_share();
    return index_.packs()[a.pack] < index_.packs()[b.pack];
  });
}

void Planner::repack(std::uint32_t number) {
  const PackCount& pack = packs_[number];
  PruneStatistics& sum = plan_.statistics;
  plan_.fates[number] = PackFate::kRepack;
  ++sum.packs.repacked;
  sum.repack.blobs += pack.used_blobs + pack.unused_blobs;
  sum.repack.bytes += pack.bytes();
  sum.repack_removed.blobs += pack.unused_blobs;
  sum.repack_removed.bytes += pack.unused_bytes;
  if (pack.is_uncompressed) sum.uncompressed_bytes -= pack.bytes();
}

void Planner::choose_repacked() {
  order_candidates();
  const PruneStatistics& sum = plan_.statistics;
  const std::uint64_t most_unused = rules_.max_unused.of(sum.used.bytes);
  for (const auto& [number, must_compress] : candidates_) {
    if (!may_be_repacked(number)) continue;
    const PackCount& pack = packs_[number];
    if (sum.repack.bytes + pack.bytes() >= rules_.max_repack_bytes) continue;
    const bool is_enough = sum.remaining_unused_bytes() < most_unused;
    const bool may_stay = pack.is_only_data() && !must_compress;
    if (may_stay && is_enough && pack.bytes() >= small_limit_) continue;
    repack(number);
  }
}

// A blob that also lies in a kept pack needs no copy.
Status Planner::choose_copies() {
  bool is_any_lost = false;
  index_.each_blob([&](Places places) {
    if (!used_[places.front()]) return;
    std::optional<std::uint32_t> copied;
    for (const std::uint32_t position : places) {
      const PackFate fate = plan_.fates[index_.entry(position).pack_number()];
      if (fate == PackFate::kKeep) return;
      if (fate == PackFate::kRepack && !copied) copied = position;
    }
    if (copied) {
      plan_.copies.push_back(*copied);
    } else {
      is_any_lost = true;
    }
  });
  // One of its places counts as used, and that pack is kept or repacked. What depends on this is too
  // much for an assertion.
  if (is_any_lost) return Error(ErrorKind::kCorrupt, "a blob that is in use would be lost");
  std::ranges::sort(plan_.copies, {}, [&](std::uint32_t i) {
    const IndexEntry entry = index_.entry(i);
    return std::tuple(entry.pack_number(), entry.offset);
  });
  return {};
}

Result<PrunePlan> Planner::plan(std::vector<ListedPack> stored) {
  plan_.fates.assign(packs_.size(), PackFate::kKeep);
  count();
  choose_one_of_each();
  small_limit_ = small_limit();
  std::ranges::sort(stored, {}, &ListedPack::id);
  RETURN_IF_ERROR(look_at(stored));
  choose_repacked();
  RETURN_IF_ERROR(choose_copies());
  PruneStatistics& sum = plan_.statistics;
  sum.packs.kept = static_cast<std::uint64_t>(std::ranges::count(plan_.fates, PackFate::kKeep));
  if (rules_.format_version < 2) sum.uncompressed_bytes = 0;
  return std::move(plan_);
}

}  // namespace

bool PrunePlan::changes_index() const {
  return std::ranges::any_of(fates, [](PackFate fate) { return fate != PackFate::kKeep; });
}

bool PrunePlan::removes_unused() const {
  return !unindexed.empty() || std::ranges::any_of(fates, [](PackFate fate) {
    return fate == PackFate::kRemove || fate == PackFate::kMissing;
  });
}

Result<PrunePlan> plan_prune(const WholeIndex& index, const std::vector<bool>& used,
                             std::vector<ListedPack> stored, const PruneRules& rules) {
  return Planner(index, used, rules).plan(std::move(stored));
}

}  // namespace restree
