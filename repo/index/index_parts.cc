#include "repo/index/index_parts.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace restree {
namespace {

// A part is merged with the next one unless it is so many times as large.
constexpr std::size_t kPartRatio = 8;

}  // namespace

void merge_small_parts(IndexParts& parts, std::size_t kept) {
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  while (parts.size() >= kept + 2) {
    const Index& older = *parts[parts.size() - 2];
    const Index& newer = *parts.back();
    if (older.blob_count() > kPartRatio * newer.blob_count()) return;
    IndexBuilder builder;
    builder.add(older);
    builder.add(newer);
    std::shared_ptr<const Index> both = std::move(builder).build(threads);
    parts.pop_back();
    parts.back() = std::move(both);
  }
}

}  // namespace restree
