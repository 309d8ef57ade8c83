#include "repo/bulk/bulk_plan.h"

#include <algorithm>
#include <tuple>

namespace restree {

void BulkPlan::add(const BlobLocation& place, const BlobId& id, std::uint32_t tag,
                   std::uint64_t position) {
  // Usually consecutive blobs of a file are in the same pack, so try the last pack first.
  std::uint32_t pack = uses_.empty() ? 0 : uses_.back().pack;
  if (packs_.empty() || packs_[pack] != place.pack) {
    const auto next = static_cast<std::uint32_t>(packs_.size());
    const auto [at, is_new] = pack_numbers_.try_emplace(place.pack, next);
    if (is_new) packs_.push_back(place.pack);
    pack = at->second;
  }
  uses_.push_back({.id = &id,
                   .position = position,
                   .tag = tag,
                   .pack = pack,
                   .offset = place.offset,
                   .length = place.length,
                   .raw_length = place.raw_length});
}

std::vector<BulkRequest> BulkPlan::requests(const BulkLimits& limits) {
  std::ranges::stable_sort(
      uses_, {}, [](const BlobUse& use) { return std::tuple(use.pack, use.offset, use.length); });
  std::vector<BulkRequest> requests;
  for (std::size_t begin = 0; begin < uses_.size();) {
    const BlobUse& first = uses_[begin];
    std::uint64_t end_offset = std::uint64_t{first.offset} + first.length;
    std::size_t end = begin + 1;
    for (; end < uses_.size() && uses_[end].pack == first.pack; ++end) {
      const BlobUse& next = uses_[end];
      const std::uint64_t grown = std::max(end_offset, std::uint64_t{next.offset} + next.length);
      const bool same = next.offset == uses_[end - 1].offset;
      if (!same && (next.offset > end_offset + limits.gap_bytes ||
                    grown - first.offset > limits.request_bytes)) {
        break;
      }
      end_offset = grown;
    }
    requests.push_back({.pack = packs_[first.pack],
                        .range = {.offset = first.offset, .length = end_offset - first.offset},
                        .uses = std::span(uses_).subspan(begin, end - begin)});
    begin = end;
  }
  return requests;
}

}  // namespace restree
