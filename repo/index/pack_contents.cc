#include "repo/index/pack_contents.h"

#include <algorithm>

namespace restree {

PackContents::PackContents(const Index& index) : begins_(index.pack_count() + 1) {
  const std::span<const IndexEntry> entries = index.entries();
  for (const IndexEntry& entry : entries) ++begins_[entry.pack_number() + 1];
  for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
  order_.resize(entries.size());
  std::vector<std::uint32_t> next(begins_.begin(), begins_.end() - 1);
  for (std::uint32_t i = 0; i < entries.size(); ++i) order_[next[entries[i].pack_number()]++] = i;
  for (std::size_t pack = 0; pack < pack_count(); ++pack) {
    std::sort(
        order_.begin() + begins_[pack], order_.begin() + begins_[pack + 1],
        [&](std::uint32_t a, std::uint32_t b) { return entries[a].offset < entries[b].offset; });
  }
}

}  // namespace restree
