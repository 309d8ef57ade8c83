#include "repo/pruner/used_blobs.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "repo/format/tree_references.h"

namespace restree {
namespace {

// A message that names more helps nobody.
constexpr std::size_t kMostMissing = 20;

}  // namespace

std::vector<BlobId> UsedBlobs::mark_new(BlobType type, std::span<const BlobId> ids) {
  std::vector<BlobId> fresh;
  const MutexLock lock(mutex_);
  for (const BlobId& id : ids) {
    const auto position = index_->position(type, id);
    if (!position) {
      if (missing_.size() <= kMostMissing) missing_.emplace(type, id);
    } else if (!used_[*position]) {
      used_[*position] = true;
      fresh.push_back(id);
    }
  }
  return fresh;
}

Status UsedBlobs::mark(const std::vector<BlobId>& roots, const BulkOptions& bulk) {
  std::vector<BlobId> waiting = mark_new(BlobType::kTree, roots);
  Mutex waiting_mutex;
  while (!waiting.empty()) {
    // The trees found last are read first (depth before breadth), so that few trees wait.
    const std::size_t count = std::min(kBatch, waiting.size());
    const std::vector<BlobId> batch(waiting.end() - static_cast<std::ptrdiff_t>(count),
                                    waiting.end());
    waiting.resize(waiting.size() - count);
    BulkLoader loader(repository_, BlobType::kTree, bulk);
    for (std::uint32_t i = 0; i < batch.size(); ++i) loader.want(batch[i], i);
    const Status marked =
        loader.run([&](std::span<const BlobUse> uses, const Result<ByteView>& blob) -> Status {
          std::vector<BlobId> found;
          RETURN_IF_ERROR(mark_below(*uses[0].id, blob, found));
          ++trees_;
          const MutexLock lock(waiting_mutex);
          waiting.insert(waiting.end(), found.begin(), found.end());
          return {};
        });
    RETURN_IF_ERROR(marked);
  }
  return expect_none_missing();
}

Status UsedBlobs::mark_below(const BlobId& tree, const Result<ByteView>& blob,
                             std::vector<BlobId>& found) {
  Result<TreeReferences> references = TreeReferences{};
  if (blob) {
    references = find_references(*blob);
  } else {
    references = blob.error();
  }
  if (!references) {
    return Error(ErrorKind::kCorrupt, fmt::format("tree {} cannot be read, so what it uses is not "
                                                  "known: {}",
                                                  tree.hex(), references.error().message()))
        .hinting(
            "Nothing was removed. `restree check` shows which snapshots need it; `restree repair "
            "snapshots --forget` makes new ones without what is lost.");
  }
  mark_new(BlobType::kData, references->data);
  found = mark_new(BlobType::kTree, references->trees);
  return {};
}

Status UsedBlobs::expect_none_missing() const {
  const MutexLock lock(mutex_);
  if (missing_.empty()) return {};
  std::string list;
  std::size_t named = 0;
  for (const auto& [type, id] : missing_) {
    if (++named > kMostMissing) {
      list += " and more";
      break;
    }
    list += fmt::format(" {}/{}", to_string(type), id.hex());
  }
  return Error(ErrorKind::kCorrupt,
               "index is not complete: snapshots use "
               "blobs that are in no index:" +
                   list)
      .hinting(
          "Nothing was removed. Run `restree repair index`, then `restree check`; if that still "
          "finds them missing, `restree repair snapshots --forget`.");
}

Result<std::vector<bool>> move_marks(const std::vector<bool>& used, const WholeIndex& from,
                                     const WholeIndex& to) {
  const IndexParts& before = from.parts();
  const IndexParts& now = to.parts();
  const bool only_grew =
      before.size() <= now.size() && std::equal(before.begin(), before.end(), now.begin());
  std::vector<bool> moved;
  if (only_grew) moved = used;
  moved.resize(to.blob_count());
  if (only_grew) return moved;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    const IndexEntry entry = from.entry(i);
    const auto position = to.position(entry.type(), entry.id);
    if (!position) {
      return Error(ErrorKind::kCorrupt,
                   fmt::format("{} blob {}, which is in use, is in no index any more",
                               to_string(entry.type()), entry.id.hex()))
          .hinting("Nothing was removed. `restree check` says what is wrong.");
    }
    moved[*position] = true;
  }
  return moved;
}

}  // namespace restree
