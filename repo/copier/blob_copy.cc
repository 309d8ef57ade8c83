#include "repo/copier/blob_copy.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>

#include "repo/format/tree_references.h"

namespace restree {

Status BlobCopy::copy(const BlobId& root) {
  {
    const MutexLock lock(mutex_);
    needs_ = {};
  }
  Status copied = copy_trees(root);
  if (copied) copied = copy_data();
  if (copied) return copied;
  // They are walked again for the next snapshot that needs them, which lacks the same.
  const MutexLock lock(mutex_);
  for (const BlobId& tree : needs_.trees) walked_.erase(tree);
  return copied;
}

bool BlobCopy::is_new(const BlobId& tree) {
  if (!walked_.insert(tree).second) return false;
  needs_.trees.push_back(tree);
  return true;
}

Status BlobCopy::copy_trees(const BlobId& root) {
  std::vector<BlobId> waiting;
  {
    const MutexLock lock(mutex_);
    if (is_new(root)) waiting.push_back(root);
  }
  while (!waiting.empty()) {
    // The trees found last are read first (depth before breadth), so that few trees wait.
    const std::size_t count = std::min(kBatch, waiting.size());
    const std::vector<BlobId> batch(waiting.end() - static_cast<std::ptrdiff_t>(count),
                                    waiting.end());
    waiting.resize(waiting.size() - count);
    BulkLoader loader(source_, BlobType::kTree, bulk_);
    for (const BlobId& id : batch) loader.want(id, 0);
    const Status read = loader.run_with_frames(
        [&](std::span<const BlobUse> uses, const Result<ByteView>& blob, ByteView frame) -> Status {
          RETURN_IF_ERROR(blob);
          return copy_tree(*uses[0].id, *blob, frame, waiting);
        });
    RETURN_IF_ERROR(read);
  }
  return {};
}

Status BlobCopy::copy_tree(const BlobId& id, ByteView json, ByteView frame,
                           std::vector<BlobId>& waiting) {
  auto references = find_references(json);
  if (!references) return std::move(references).error().with("tree " + id.hex());
  std::erase_if(references->data,
                [&](const BlobId& data) { return writer_.knows(BlobType::kData, data); });
  ASSIGN_OR_RETURN(const SavedBlob saved, writer_.save_known(BlobType::kTree, id, json, frame));
  const std::optional<BlobLocation> place =
      saved.is_new ? source_.find_blob(BlobType::kTree, id) : std::nullopt;
  const MutexLock lock(mutex_);
  for (const BlobId& tree : references->trees) {
    if (is_new(tree)) waiting.push_back(tree);
  }
  need_data(references->data);
  if (place) {
    ++needs_.figures.blobs;
    needs_.figures.bytes += place->length;
    needs_.packs.try_emplace(place->pack, static_cast<std::uint32_t>(needs_.packs.size()));
  }
  return {};
}

void BlobCopy::need_data(const std::vector<BlobId>& ids) {
  for (const BlobId& id : ids) needs_.data.push_back({id, needs_.turns++});
  if (needs_.data.size() < needs_.shrink_at) return;
  shrink(needs_.data);
  needs_.shrink_at = std::max(needs_.shrink_at, 2 * needs_.data.size());
}

void BlobCopy::shrink(std::vector<Lacking>& data) {
  std::ranges::sort(data, [](const Lacking& a, const Lacking& b) {
    return a.id != b.id ? a.id < b.id : a.turn < b.turn;
  });
  const auto repeated =
      std::ranges::unique(data, {}, [](const Lacking& one) -> const BlobId& { return one.id; });
  data.erase(repeated.begin(), repeated.end());
  std::ranges::sort(data, {}, &Lacking::turn);
}

Status BlobCopy::copy_data() {
  std::vector<Lacking> data;
  CopyFigures figures;
  std::unordered_map<PackId, std::uint32_t> packs;
  {
    const MutexLock lock(mutex_);
    data = std::move(needs_.data);
    figures = needs_.figures;
    packs = std::move(needs_.packs);
  }
  shrink(data);
  figures.blobs += data.size();
  std::vector<std::uint64_t> counts(packs.size());  // by the number of the pack
  // For blobs that no index names, which the loader looks for.
  constexpr std::uint32_t kNoPack = std::numeric_limits<std::uint32_t>::max();
  BulkLoader loader(source_, BlobType::kData, bulk_);
  for (const Lacking& one : data) {
    std::uint32_t number = kNoPack;
    if (const auto place = source_.find_blob(BlobType::kData, one.id)) {
      const auto next = static_cast<std::uint32_t>(packs.size());
      number = packs.try_emplace(place->pack, next).first->second;
      if (number == next) counts.push_back(0);
      ++counts[number];
      figures.bytes += place->length;
    }
    loader.want(one.id, number);
  }
  figures.packs = packs.size();
  listener_.planned(figures);
  std::vector<std::atomic<std::uint64_t>> left(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    left[i] = counts[i];
    if (counts[i] == 0) listener_.pack_copied();
  }
  return loader.run_with_frames(
      [&](std::span<const BlobUse> uses, const Result<ByteView>& blob, ByteView frame) -> Status {
        RETURN_IF_ERROR(blob);
        RETURN_IF_ERROR(writer_.save_known(BlobType::kData, *uses[0].id, *blob, frame));
        const std::uint32_t number = uses[0].tag;
        if (number != kNoPack && --left[number] == 0) listener_.pack_copied();
        return {};
      });
}

}  // namespace restree
