#include "repo/copier/pack_plan.h"

#include <algorithm>

namespace restree {
namespace {

// For each entry the position of the first one of its blob.
std::vector<std::uint32_t> first_entries(const Index& index) {
  const std::span<const IndexEntry> entries = index.entries();
  std::vector<std::uint32_t> first(entries.size());
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    const bool is_same =
        i > 0 && entries[i].id == entries[i - 1].id && entries[i].type() == entries[i - 1].type();
    first[i] = is_same ? first[i - 1] : i;
  }
  return first;
}

}  // namespace

std::vector<CopyPart> plan_packs(const Index& index, const PackContents& contents,
                                 std::span<const CopyTurn> turns, std::size_t count) {
  const std::vector<std::uint32_t> first = first_entries(index);
  std::vector<bool> goes_whole(first.size());  // by first entries
  std::vector<CopyPart> parts(count);
  for (std::uint32_t pack = 0; pack < contents.pack_count(); ++pack) {
    const auto entries = contents.of(pack);
    const bool is_wanted = std::ranges::all_of(entries, [&](std::uint32_t entry) {
      return turns[first[entry]] != kNotWanted && !goes_whole[first[entry]];
    });
    if (!is_wanted || entries.empty()) continue;
    CopyTurn turn = kNotWanted;
    for (const std::uint32_t entry : entries) {
      turn = std::min(turn, turns[first[entry]]);
      goes_whole[first[entry]] = true;
    }
    parts[turn].packs.push_back(pack);
  }
  for (std::uint32_t pack = 0; pack < contents.pack_count(); ++pack) {
    for (const std::uint32_t entry : contents.of(pack)) {
      const CopyTurn turn = turns[first[entry]];
      if (entry != first[entry] || turn == kNotWanted || goes_whole[entry]) continue;
      parts[turn].singly.push_back(entry);
    }
  }
  return parts;
}

}  // namespace restree
