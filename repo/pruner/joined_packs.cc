#include "repo/pruner/joined_packs.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "repo/format/pack_header.h"

namespace restree {

std::vector<std::vector<std::uint32_t>> plan_joined_packs(const WholeIndex& index,
                                                          std::vector<std::uint32_t> positions,
                                                          std::uint64_t pack_bytes) {
  std::ranges::sort(positions, {}, [&](std::uint32_t position) {
    const IndexEntry entry = index.entry(position);
    return std::tuple(entry.type(), entry.pack_number(), entry.offset);
  });
  std::vector<std::vector<std::uint32_t>> packs;
  std::uint64_t bytes = 0;
  for (const std::uint32_t position : positions) {
    const IndexEntry entry = index.entry(position);
    const bool is_first_of_pack = packs.empty() || bytes >= pack_bytes ||
                                  packs.back().size() >= kMostNewPackEntries ||
                                  index.entry(packs.back().front()).type() != entry.type();
    if (is_first_of_pack) {
      packs.emplace_back();
      bytes = 0;
    }
    packs.back().push_back(position);
    bytes += entry.length;
  }
  return packs;
}

}  // namespace restree
