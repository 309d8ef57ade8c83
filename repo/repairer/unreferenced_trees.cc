#include "repo/repairer/unreferenced_trees.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "repo/base/guarded.h"
#include "repo/format/tree_references.h"

namespace restree {
namespace {

// The ids of the trees that index files name.
class TreeIds final : public IndexWatch {
 public:
  void pack(const std::string&, const PackId&, std::span<const IndexedBlob> blobs) override {
    auto ids = ids_.lock();
    for (const IndexedBlob& blob : blobs) {
      if (blob.type == BlobType::kTree) ids->push_back(blob.id);
    }
  }
  void damaged(const std::string&, const Error&) override {}  // it was repaired before

  // In order, each once.
  std::vector<BlobId> take() {
    std::vector<BlobId> ids = std::exchange(*ids_.lock(), {});
    std::ranges::sort(ids);
    const auto repeated = std::ranges::unique(ids);
    ids.erase(repeated.begin(), repeated.end());
    return ids;
  }

 private:
  Guarded<std::vector<BlobId>> ids_;
};

// Which trees are referred to, or cannot be read.
class Marks {
 public:
  explicit Marks(std::span<const BlobId> trees) : trees_(trees), marked_(trees.size()) {}

  void mark(std::span<const BlobId> ids) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    for (const BlobId& id : ids) {
      const auto found = std::ranges::lower_bound(trees_, id);
      if (found == trees_.end() || *found != id) continue;
      marked_[static_cast<std::size_t>(found - trees_.begin())] = true;
    }
  }
  std::vector<BlobId> unmarked() const EXCLUDES(mutex_) {
    std::vector<BlobId> all;
    const MutexLock lock(mutex_);
    for (std::size_t i = 0; i < trees_.size(); ++i) {
      if (!marked_[i]) all.push_back(trees_[i]);
    }
    return all;
  }

 private:
  const std::span<const BlobId> trees_;
  mutable Mutex mutex_;
  std::vector<bool> marked_ GUARDED_BY(mutex_);
};

}  // namespace

Result<std::vector<BlobId>> find_unreferenced_trees(Repository& repository,
                                                    const std::vector<BlobId>& in_use,
                                                    const TreeSearchOptions& options) {
  TreeIds ids;
  RETURN_IF_ERROR(repository.refresh_index(Deadline::after(options.bulk.patience), &ids));
  const std::vector<BlobId> trees = ids.take();
  if (options.on_begin) options.on_begin(trees.size());
  Marks marks(trees);
  marks.mark(in_use);
  BulkLoader loader(repository, BlobType::kTree, options.bulk);
  for (const BlobId& id : trees) loader.want(id, 0);
  RETURN_IF_ERROR(
      loader.run([&](std::span<const BlobUse> uses, const Result<ByteView>& blob) -> Status {
        const BlobId& id = *uses[0].id;
        if (!blob && is_hopeless(blob.error().kind())) return blob.error();
        Result<TreeReferences> references = TreeReferences{};
        if (blob) {
          references = find_references(*blob);
        } else {
          references = blob.error();
        }
        if (!references) {
          marks.mark(std::span(&id, 1));
          if (options.on_unreadable) options.on_unreadable(id, references.error());
          return {};
        }
        marks.mark(references->trees);
        if (options.on_read) options.on_read();
        return {};
      }));
  return marks.unmarked();
}

}  // namespace restree
