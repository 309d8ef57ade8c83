#include "cache/cache_eviction.h"

#include <algorithm>
#include <tuple>

namespace restree {
namespace {

bool may_go(const CachedFile& file, CachedKind incoming) {
  return !file.is_pinned && file.kind != CachedKind::kFile && file.kind <= incoming;
}

}  // namespace

std::vector<CachedFile> choose_evictions(std::vector<CachedFile> files, CachedKind incoming,
                                         std::uint64_t wanted_bytes) {
  std::erase_if(files, [&](const CachedFile& file) { return !may_go(file, incoming); });
  std::ranges::sort(
      files, {}, [](const CachedFile& file) { return std::tie(file.kind, file.used, file.path); });
  std::uint64_t freed = 0;
  std::size_t count = 0;
  for (; count < files.size() && freed < wanted_bytes; ++count) freed += files[count].bytes;
  files.erase(files.begin() + static_cast<std::ptrdiff_t>(count), files.end());
  return files;
}

std::uint64_t evictable_bytes(const std::vector<CachedFile>& files, CachedKind incoming) {
  std::uint64_t sum = 0;
  for (const CachedFile& file : files) sum += may_go(file, incoming) ? file.bytes : 0;
  return sum;
}

}  // namespace restree
