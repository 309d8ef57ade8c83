#include "repo/pruner/prune_rounds.h"

#include <algorithm>
#include <numeric>

#include "repo/format/pack_header.h"

namespace restree {
namespace {

using Amount = PruneStatistics::Amount;

// As text: the id of a blob, its type, its place and its lengths; the id of a pack.
constexpr std::uint64_t kIndexBytesOfBlob = 200;
constexpr std::uint64_t kIndexBytesOfPack = 100;
constexpr std::uint64_t kIndexBytesOfFile = 200;
// A file takes whole blocks, and its folder may grow.
constexpr std::uint64_t kBytesBesideFile = 8192;
// In the header of a pack.
constexpr std::uint64_t kHeaderBytesOfBlob = 41;
// As all writers of the format have it.
constexpr std::uint64_t kBlobsOfFullIndex = 50'000;
// Trees and data go to packs of their own, and the last of each kind are not full. Several are filled at
// a time.
constexpr std::uint64_t kOpenPacks = 8;

Amount sum_of(const Amount& a, const Amount& b) {
  return {.blobs = a.blobs + b.blobs, .bytes = a.bytes + b.bytes};
}

// How much of the pack is copied: what is copied least gives most back.
double copied_share(const RepackCost& cost) {
  return static_cast<double>(cost.copied.bytes) /
         static_cast<double>(std::max<std::uint64_t>(cost.pack_bytes, 1));
}

}  // namespace

std::uint64_t most_index_bytes(std::uint64_t packs, std::uint64_t blobs) {
  return kIndexBytesOfFile + packs * kIndexBytesOfPack + blobs * kIndexBytesOfBlob;
}

std::uint64_t bytes_to_store(const Amount& copied, std::uint64_t pack_bytes) {
  if (copied.blobs == 0) return 0;
  const std::uint64_t packs =
      std::min(copied.blobs, copied.bytes / std::max<std::uint64_t>(pack_bytes, 1) + kOpenPacks);
  const std::uint64_t indexes = copied.blobs / kBlobsOfFullIndex + 1;
  return copied.bytes + copied.blobs * kHeaderBytesOfBlob +
         packs * (kPackOverheadBytes + kBytesBesideFile) + most_index_bytes(packs, copied.blobs) +
         indexes * kBytesBesideFile;
}

std::vector<std::size_t> choose_round(std::span<const RepackCost> packs, std::uint64_t room,
                                      std::uint64_t pack_bytes) {
  std::vector<std::size_t> order(packs.size());
  std::iota(order.begin(), order.end(), 0);
  Amount sum;
  for (const RepackCost& cost : packs) sum = sum_of(sum, cost.copied);
  if (bytes_to_store(sum, pack_bytes) <= room) return order;

  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return copied_share(packs[i]); });
  sum = {};
  std::vector<std::size_t> chosen;
  for (const std::size_t i : order) {
    const Amount more = sum_of(sum, packs[i].copied);
    if (!packs[i].gains || bytes_to_store(more, pack_bytes) > room) continue;
    sum = more;
    chosen.push_back(i);
  }
  std::ranges::sort(chosen);
  return chosen;
}

std::uint64_t PlannedRepack::bytes_to_store(std::uint64_t pack_bytes) const {
  Amount sum;
  for (const RepackCost& cost : costs) sum = sum_of(sum, cost.copied);
  return restree::bytes_to_store(sum, pack_bytes);
}

std::uint64_t PlannedRepack::least_bytes_to_store(std::uint64_t pack_bytes) const {
  std::uint64_t least = 0;
  for (const RepackCost& cost : costs) {
    const std::uint64_t bytes = restree::bytes_to_store(cost.copied, pack_bytes);
    if (cost.gains && (least == 0 || bytes < least)) least = bytes;
  }
  return least;
}

PlannedRepack repack_costs(const PrunePlan& plan, const WholeIndex& index,
                           const PruneRules& rules) {
  std::vector<RepackCost> costs(index.pack_count(), {.gains = false});
  for (RepackCost& cost : costs) cost.pack_bytes = kPackOverheadBytes;
  std::vector<std::uint64_t> blobs(index.pack_count(), 0);
  index.each_entry([&](std::size_t /*position*/, const IndexEntry& entry) {
    costs[entry.pack_number()].pack_bytes += entry.length + pack_header_entry_bytes(entry.blob());
    ++blobs[entry.pack_number()];
  });
  for (const std::uint32_t position : plan.copies) {
    const IndexEntry entry = index.entry(position);
    RepackCost& cost = costs[entry.pack_number()];
    ++cost.copied.blobs;
    cost.copied.bytes += entry.length;
    const bool is_compressed_now = rules.format_version >= 2 && entry.raw_length == 0 &&
                                   (entry.type() == BlobType::kTree || rules.repack_uncompressed);
    cost.gains |= is_compressed_now;
  }
  PlannedRepack repack;
  for (std::uint32_t i = 0; i < costs.size(); ++i) {
    if (plan.fates[i] != PackFate::kRepack) continue;
    costs[i].gains |= costs[i].copied.blobs < blobs[i];
    repack.packs.push_back(index.packs()[i]);
    repack.costs.push_back(costs[i]);
  }
  return repack;
}

}  // namespace restree
