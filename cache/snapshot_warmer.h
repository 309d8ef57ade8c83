// Brings all of one snapshot into a cache: first its trees, then the data of its files. Blobs that
// are already in the cache are read and verified.
//
// Ownership: the cache, and the repository that uses it, must outlive it.
// Threads:   run() once, by one thread; figures() any.
// Limits:    memory: some 200 bytes a blob, and BulkLoader's buffers.
// Errors:    kUnavailable: the storage cannot be reached. kInvalid: the snapshot is too large for
//            the cache. kLocalIo: the cache did not keep all of it. kCancelled: stopped. Damaged
//            files and folders are passed to `on_damage` and counted, and the rest is loaded.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cache/disk_cache.h"
#include "repo/base/guarded.h"
#include "repo/bulk/bulk_load.h"
#include "repo/format/snapshot.h"
#include "repo/format/tree.h"
#include "repo/repository.h"

namespace restree {

// Sealed bytes; the totals grow while trees are read.
struct WarmFigures {
  std::atomic<std::uint64_t> blobs_total = 0;
  std::atomic<std::uint64_t> blobs_done = 0;
  std::atomic<std::uint64_t> bytes_total = 0;
  std::atomic<std::uint64_t> bytes_done = 0;
  std::atomic<std::uint64_t> errors = 0;  // files and folders that cannot be read completely
};

class SnapshotWarmer {
 public:
  // `path` in the snapshot, from its root: "/srv/f".
  using OnDamage = std::function<void(const std::string& path, const Error& error)>;

  SnapshotWarmer(Repository& repository, DiskCache& cache, BulkOptions options, OnDamage on_damage)
      : repository_(repository),
        cache_(cache),
        options_(std::move(options)),
        on_damage_(std::move(on_damage)) {}

  enum class Pin { kNo, kYes };
  Status run(const Snapshot& snapshot, Pin pin);
  const WarmFigures& figures() const { return figures_; }

 private:
  struct Folder {
    BlobId tree;
    std::string path;
  };
  struct Found {
    std::vector<Folder> folders;       // of the next level
    std::unordered_set<BlobId> trees;  // all trees found so far
    std::unordered_set<BlobId> data;
    std::unordered_map<BlobId, Error> bad;  // data blobs that could not be read
  };

  Status load_trees(const BlobId& root) EXCLUDES(found_);
  void take_in(const Folder& folder, const Tree& tree) EXCLUDES(found_);
  void count(BlobType type, const BlobId& id);
  Status check_room() const;
  Status load_data(const std::unordered_set<BlobId>& data) EXCLUDES(found_);
  Status name_damaged(const BlobId& root) EXCLUDES(found_);
  void tell(const std::string& path, const Error& error);
  Status check_kept(std::uint64_t dropped_before) const;

  Repository& repository_;
  DiskCache& cache_;
  const BulkOptions options_;
  const OnDamage on_damage_;
  WarmFigures figures_;
  Guarded<Found> found_;
  PinnedPacks packs_;  // the packs of the snapshot, with the bytes that it needs of each
};

}  // namespace restree
