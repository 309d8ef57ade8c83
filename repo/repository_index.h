// The index of a repository: loaded from its index files, and brought up to date with those that
// come and go.
//
// With a cache, what was loaded is merged into a file there, and the next to come opens that and
// loads only the index files that it is not from. If the file proves damaged, it is given up for
// good, and all index files are loaded.
//
// Ownership: the cache and the key must outlive it. It owns a thread, while it writes
//            that file; the destructor waits for it, a few seconds at most.
// Threads:   any.
// Limits:    see index.h and stored_index.h: what was merged needs no more memory than the latter.
// Errors:    of refresh(): those of Files. A damaged index file is none: it is left out.
//            find() and find_all() have none; if the merged file is damaged and the index files
//            cannot be had, the blob is not found.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/crypto/seal.h"
#include "repo/format/index_file.h"
#include "repo/index/index.h"
#include "repo/index/stored_index.h"
#include "repo/index/stored_index_writer.h"
#include "repo/repository_cache.h"
#include "repo/storage/storage.h"

namespace restree {

// For who wants to know more of index files than which blobs there are.
class IndexWatch {
 public:
  virtual ~IndexWatch() = default;
  virtual void pack(const std::string& file, const PackId& pack,
                    std::span<const IndexedBlob> blobs) = 0;
  // The file is damaged, and left out from where the damage begins.
  virtual void damaged(const std::string& file, const Error& error) = 0;
};

// What the index holds and costs, for logs and benchmarks.
struct IndexFigures {
  std::size_t blobs = 0;
  std::size_t packs = 0;
  std::uint64_t sealed_bytes = 0;  // of all blobs, as the packs hold them
  std::size_t memory_bytes = 0;
};

// The files of one type that there are: as the storage says, or, while that is out of reach, as far
// as the cache has them.
struct RepositoryListing {
  std::vector<ListedFile> files;
  bool is_current;  // the storage says so
};

class RepositoryIndex {
 public:
  // As many parts as it was brought up to date.
  using Parts = std::vector<std::shared_ptr<const Index>>;
  struct Files {
    std::function<Result<RepositoryListing>(Deadline by)> list;
    // The JSON inside an index file.
    std::function<Result<Bytes>(const FileName& file, Deadline by)> load;
    std::string description;  // of where they lie, for messages
  };

  RepositoryIndex(Files files, const SealKey& key) : files_(std::move(files)), key_(key) {}

  // It has the merged file, and is told which index files and packs there are. Before the first
  // refresh.
  void use_cache(RepositoryCache& cache) { cache_ = &cache; }

  // See Repository::refresh_index().
  Result<bool> refresh(Deadline by, IndexWatch* watch);

  // What was loaded with a watch, or since the merged file was written; one part after a first
  // refresh with a watch.
  std::shared_ptr<const Parts> parts() const { return loaded_.lock()->parts; }
  // The first of find_all().
  std::optional<BlobLocation> find(BlobType type, const BlobId& id);
  // By pack and offset, so that all processes have the same order. Some may be there twice.
  std::vector<BlobLocation> find_all(BlobType type, const BlobId& id);
  // Every pack that it names, each once, in order.
  std::vector<PackId> packs() const;
  std::vector<PackExtent> pack_extents() const;
  IndexFigures figures() const;

 private:
  struct Loaded {
    std::shared_ptr<const StoredIndex> stored;  // null: none
    std::shared_ptr<const Parts> parts = std::make_shared<Parts>();
    std::set<std::string> files;  // that all of it is from
    bool is_complete = true;      // false: a damaged index file was left out
    bool is_doubtful = false;     // `stored` has proved damaged
  };
  // At most one refresh runs; whoever else wants one waits for the next to begin and to end, since
  // the running one may have listed the files too early to see what this caller is after.
  struct Turn {
    std::uint64_t begun = 0;
    std::uint64_t ended = 0;
    Result<bool> last = false;
  };

  Result<bool> refresh_now(Deadline by, IndexWatch* watch);
  // What can be kept of what is there, for the repository has these files now.
  Loaded begin_with(const std::set<std::string>& files, IndexWatch* watch) const;
  // `damaged` is counted up for each file that is left out.
  Result<std::shared_ptr<const Index>> load_files(const std::vector<std::string>& names,
                                                  Deadline by, IndexWatch* watch,
                                                  std::atomic<std::size_t>& damaged) const;
  std::shared_ptr<const StoredIndex> open_merged(const std::set<std::string>& files) const;
  // Starts the thread, if it pays.
  void merge(const Loaded& loaded);
  void run_merge(const IndexesToStore& what, const Loaded& loaded, const std::stop_token& stop);
  void give_up(const std::shared_ptr<const StoredIndex>& stored, const Error& error);

  const Files files_;
  const SealKey& key_;
  RepositoryCache* cache_ = nullptr;
  Guarded<Loaded> loaded_;
  std::atomic<bool> trusts_merged_ = true;
  Guarded<Turn> turn_;
  std::condition_variable turn_ended_;
  std::atomic<bool> is_merging_ = false;
  std::jthread merging_;  // whoever has the turn starts it
};

}  // namespace restree
