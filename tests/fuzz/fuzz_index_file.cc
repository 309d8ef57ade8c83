#include <utility>
#include <vector>

#include "repo/format/index_file.h"
#include "repo/index/index.h"
#include "tests/fuzz/fuzz_target.h"

using restree::must;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  restree::IndexBuilder builder;
  std::vector<restree::IndexedBlob> all;
  const auto visit = [&](const restree::PackId& pack, std::span<const restree::IndexedBlob> blobs) {
    builder.add(pack, blobs);
    all.insert(all.end(), blobs.begin(), blobs.end());
  };
  // Packs before a defect have been visited; what they say must hold all the same.
  static_cast<void>(restree::parse_index_file(restree::fuzz_input(data, size), visit).has_value());
  const auto index = std::move(builder).build(1);
  must(index->blob_count() <= all.size());
  for (const auto& blob : all) {
    const auto places = index->find_all(blob.type, blob.id);
    must(!places.empty());
    must(places.front().length >= 32);
    must(index->find(blob.type, blob.id).has_value());
  }
  return 0;
}
