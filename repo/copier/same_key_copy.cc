#include "repo/copier/same_key_copy.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "repo/base/thread_pool.h"
#include "repo/format/tree_references.h"
#include "repo/pack_file.h"

namespace restree {
namespace {

std::shared_ptr<const Index> one_index(const Repository& repository, std::size_t threads) {
  const auto parts = repository.index_parts();
  if (parts.size() == 1) return parts.front();
  IndexBuilder builder;
  for (const auto& part : parts) builder.add(*part);
  return std::move(builder).build(threads);
}

bool is_damage(const Error& error) {
  return error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kNotFound;
}

Error in_no_index(BlobType type, const BlobId& id) {
  return {ErrorKind::kNotFound,
          fmt::format("{} blob {} is in no index", to_string(type), id.hex())};
}

}  // namespace

SameKeyCopy::SameKeyCopy(Repository& source, RepositoryWriter& writer, BlobCopy& blobs,
                         BulkOptions bulk, CopyListener& listener)
    : source_(source),
      writer_(writer),
      blobs_(blobs),
      bulk_(std::move(bulk)),
      listener_(listener),
      index_(one_index(source, bulk_.threads)),
      contents_(*index_) {
  const MutexLock lock(mutex_);
  walked_.resize(index_->blob_count());
  turns_.resize(index_->blob_count(), kNotWanted);
}

bool SameKeyCopy::is_possible(const Repository& source, const Repository& destination) {
  return source.config().version == destination.config().version && source.has_key_of(destination);
}

Status SameKeyCopy::plan(const std::vector<std::optional<BlobId>>& roots) {
  unplanned_.resize(roots.size());
  for (CopyTurn turn = 0; turn < roots.size(); ++turn) {
    if (!roots[turn]) continue;
    Marks marks{.turn = turn, .walked = {}, .wanted = {}};
    Status walked = walk(*roots[turn], marks);
    if (walked) continue;
    if (!is_damage(walked.error())) return walked;
    undo(marks);
    unplanned_[turn] = true;
  }
  const MutexLock lock(mutex_);
  parts_ = plan_packs(*index_, contents_, turns_, roots.size());
  return {};
}

Status SameKeyCopy::walk(const BlobId& root, Marks& marks) {
  std::vector<BlobId> waiting;
  {
    const MutexLock lock(mutex_);
    RETURN_IF_ERROR(mark_tree(root, marks, waiting));
  }
  while (!waiting.empty()) {
    // The trees found last are read first (depth before breadth), so that few trees wait.
    const std::size_t count = std::min(kBatch, waiting.size());
    const std::vector<BlobId> batch(waiting.end() - static_cast<std::ptrdiff_t>(count),
                                    waiting.end());
    waiting.resize(waiting.size() - count);
    BulkLoader loader(source_, BlobType::kTree, bulk_);
    for (const BlobId& id : batch) loader.want(id, 0);
    const Status read =
        loader.run([&](std::span<const BlobUse>, const Result<ByteView>& blob) -> Status {
          RETURN_IF_ERROR(blob);
          return mark_below(*blob, marks, waiting);
        });
    RETURN_IF_ERROR(read);
  }
  return {};
}

Status SameKeyCopy::mark_below(ByteView tree, Marks& marks, std::vector<BlobId>& waiting) {
  ASSIGN_OR_RETURN(const TreeReferences references, find_references(tree));
  const MutexLock lock(mutex_);
  for (const BlobId& data : references.data) RETURN_IF_ERROR(mark_data(data, marks));
  for (const BlobId& below : references.trees) RETURN_IF_ERROR(mark_tree(below, marks, waiting));
  return {};
}

Status SameKeyCopy::mark_tree(const BlobId& tree, Marks& marks, std::vector<BlobId>& waiting) {
  const auto position = index_->position(BlobType::kTree, tree);
  if (!position) return in_no_index(BlobType::kTree, tree);
  if (walked_[*position]) return {};
  walked_[*position] = true;
  marks.walked.push_back(static_cast<std::uint32_t>(*position));
  waiting.push_back(tree);
  // Also below one that the destination has: what it needs may be missing there.
  if (!writer_.knows(BlobType::kTree, tree)) mark_wanted(*position, marks);
  return {};
}

Status SameKeyCopy::mark_data(const BlobId& data, Marks& marks) {
  const auto position = index_->position(BlobType::kData, data);
  if (position && turns_[*position] != kNotWanted) return {};
  if (writer_.knows(BlobType::kData, data)) return {};
  if (!position) return in_no_index(BlobType::kData, data);
  mark_wanted(*position, marks);
  return {};
}

void SameKeyCopy::mark_wanted(std::size_t position, Marks& marks) {
  turns_[position] = marks.turn;
  marks.wanted.push_back(static_cast<std::uint32_t>(position));
}

void SameKeyCopy::undo(const Marks& marks) {
  const MutexLock lock(mutex_);
  for (const std::uint32_t position : marks.walked) walked_[position] = false;
  for (const std::uint32_t position : marks.wanted) turns_[position] = kNotWanted;
}

Status SameKeyCopy::copy(CopyTurn turn, const BlobId& root) {
  if (unplanned_[turn]) return blobs_.copy(root);
  const CopyPart& part = parts_[turn];
  listener_.planned(figures(part));
  RETURN_IF_ERROR(parallel_for(part.packs.size(), bulk_.threads,
                               [&](std::size_t i) { return copy_pack(part.packs[i]); }));
  if (!plan_holds_) return blobs_.copy(root);
  Status copied = copy_singly(part.singly);
  if (!copied) plan_holds_ = false;
  return copied;
}

CopyFigures SameKeyCopy::figures(const CopyPart& part) const {
  CopyFigures figures{.blobs = part.singly.size(),
                      .bytes = 0,
                      .packs = part.packs.size() + count_packs(part.singly)};
  for (const std::uint32_t position : part.singly) {
    figures.bytes += index_->entries()[position].length;
  }
  for (const std::uint32_t pack : part.packs) {
    figures.blobs += contents_.of(pack).size();
    for (const std::uint32_t position : contents_.of(pack)) {
      figures.bytes += index_->entries()[position].length;
    }
  }
  return figures;
}

Status SameKeyCopy::copy_pack(std::uint32_t number) {
  if (bulk_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
  const PackId& pack = index_->packs()[number];
  const Result<Bytes> file = source_.load_sealed({FileType::kPack, pack.hex()}, soon());
  if (!file && !is_damage(file.error())) return file.error();
  auto blobs = file ? blobs_in_pack(source_, *file) : file.error();
  if (!blobs || !agrees_with_index(number, *blobs)) {
    plan_holds_ = false;
    return {};
  }
  RETURN_IF_ERROR(writer_.save_pack(pack, *file, std::move(*blobs)));
  listener_.pack_copied();
  return {};
}

bool SameKeyCopy::agrees_with_index(std::uint32_t number,
                                    std::span<const IndexedBlob> blobs) const {
  const auto same = [&](std::uint32_t position, const IndexedBlob& blob) {
    const IndexedBlob named = index_->entries()[position].blob();
    return named.id == blob.id && named.type == blob.type && named.offset == blob.offset &&
           named.length == blob.length && named.raw_length == blob.raw_length;
  };
  return std::ranges::equal(contents_.of(number), blobs, same);
}

std::size_t SameKeyCopy::count_packs(std::span<const std::uint32_t> positions) const {
  std::size_t count = 0;
  std::optional<std::uint32_t> last;
  for (const std::uint32_t position : positions) {
    const std::uint32_t pack = index_->entries()[position].pack_number();
    if (pack != last) ++count;
    last = pack;
  }
  return count;
}

Status SameKeyCopy::copy_singly(std::span<const std::uint32_t> positions) {
  for (const BlobType type : {BlobType::kTree, BlobType::kData}) {
    BulkLoader loader(source_, type, bulk_);
    for (const std::uint32_t position : positions) {
      const IndexEntry& entry = index_->entries()[position];
      if (entry.type() == type) loader.want(entry.id, 0);
    }
    const Status copied = loader.run_with_frames(
        [&](std::span<const BlobUse> uses, const Result<ByteView>& blob, ByteView frame) -> Status {
          RETURN_IF_ERROR(blob);
          RETURN_IF_ERROR(writer_.save_known(type, *uses[0].id, *blob, frame));
          return {};
        });
    RETURN_IF_ERROR(copied);
  }
  for (std::size_t packs = count_packs(positions); packs > 0; --packs) listener_.pack_copied();
  return {};
}

}  // namespace restree
