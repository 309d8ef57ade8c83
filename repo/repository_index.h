// The index of a repository: loaded from its index files, and kept up to date as index files are
// added and removed.
//
// With a cache, the loaded index is written there as one merged file. The next process opens that
// file and loads only the index files that are not in it. If the merged file proves damaged, this
// object stops using it, and loads all index files.
//
// Ownership: the cache and the key must outlive it. It owns a thread while the merged file is
//            written; the destructor waits for that thread, a few seconds at most.
// Threads:   any.
// Limits:    memory: index.h for what was loaded, stored_index.h for what is in the merged file;
//            while index files are loaded, the JSON of eight, or of one a processor if their
//            storage is near.
// Errors:    of refresh(): those of Files. A damaged index file is left out, without an error.
//            find_all() has none; if the merged file is damaged and the index files cannot be
//            loaded, the blob is not found.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
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
#include "repo/index/index_parts.h"
#include "repo/index/stored_index.h"
#include "repo/index/stored_index_writer.h"
#include "repo/repository_cache.h"
#include "repo/storage/storage.h"

namespace restree {

// Receives the content of index files as they are loaded, for callers that need more than to find
// blobs.
class IndexWatch {
 public:
  virtual ~IndexWatch() = default;
  virtual void pack(const std::string& file, const PackId& pack,
                    std::span<const IndexedBlob> blobs) = 0;
  // The file is damaged; its packs from there on are left out.
  virtual void damaged(const std::string& file, const Error& error) = 0;
  // Whether it has been told of the file before. If that holds for all that are loaded, only others
  // are read.
  virtual bool knows(const std::string& /*file*/) const { return false; }
};

// What the index holds and costs, for logs and benchmarks.
struct IndexFigures {
  std::size_t blobs = 0;
  std::size_t packs = 0;
  std::uint64_t sealed_bytes = 0;  // of all blobs, as the packs hold them
  std::size_t memory_bytes = 0;
};

// The files of one type: those that the storage lists or, while it is out of reach, those in the
// cache.
struct RepositoryListing {
  std::vector<ListedFile> files;
  bool is_current;  // true: listed by the storage
};

class RepositoryIndex {
 public:
  // Each refresh that loads index files adds one part, which is then merged with small ones. With a watch the
  // first part stays as it is: whoever watches has it, too.
  using Parts = IndexParts;
  struct Files {
    std::function<Result<RepositoryListing>(Deadline by)> list;
    // The JSON inside an index file.
    std::function<Result<Bytes>(const FileName& file, Deadline by)> load;
    std::string description;  // of their storage, for messages
    bool waits = true;        // of their storage: see ReadHabit
  };

  RepositoryIndex(Files files, const SealKey& key) : files_(std::move(files)), key_(key) {}

  // The cache holds the merged file, and is passed the index files and packs that exist. Must be
  // called before the first refresh.
  void use_cache(RepositoryCache& cache) { cache_ = &cache; }

  // See Repository::refresh_index().
  Result<bool> refresh(Deadline by, IndexWatch* watch);

  // What was loaded with a watch, or since the merged file was written; one part after a first
  // refresh with a watch.
  std::shared_ptr<const Parts> parts() const { return loaded_.lock()->parts; }
  // By pack and offset, so that all processes have the same order. A place may be there twice.
  std::vector<BlobLocation> find_all(BlobType type, const BlobId& id);
  // Every pack that it names, each once, in order.
  std::vector<PackId> packs() const;
  std::vector<PackExtent> pack_extents() const;
  // The same with the sizes that this gives them. Goes through all of the index.
  std::vector<NamedPack> named_packs();
  IndexFigures figures() const;
  // Index files that are there and could not be read, each with the reason.
  using DamagedFiles = std::map<std::string, std::string>;
  DamagedFiles damaged_files() const { return loaded_.lock()->damaged; }

 private:
  struct Loaded {
    std::shared_ptr<const StoredIndex> stored;  // null: no merged file is in use
    std::shared_ptr<const Parts> parts = std::make_shared<Parts>();
    std::set<std::string> files;  // from which `stored` and `parts` come
    DamagedFiles damaged;         // that were left out
    bool is_doubtful = false;     // `stored` has proved damaged
  };
  // At most one refresh runs. Another caller waits until a later one has begun and ended, since the
  // running one may have listed the files too early to see the one that this caller needs.
  struct Turn {
    std::uint64_t begun = 0;
    std::uint64_t ended = 0;
    Result<bool> last = false;
  };

  static Result<std::vector<NamedPack>> named_packs(const Loaded& in);
  Result<bool> refresh_now(Deadline by, IndexWatch* watch);
  // The part of the loaded index that stays valid now that the repository has `files`.
  Loaded begin_with(const std::set<std::string>& files, IndexWatch* watch) const EXCLUDES(loaded_);
  // Whether the watch needs not be told of what is loaded, and finds all of it in the parts.
  bool is_told(const Loaded& loaded, const IndexWatch* watch) const;
  // `damaged` gets each file that is left out.
  Result<std::shared_ptr<const Index>> load_files(const std::vector<std::string>& names,
                                                  Deadline by, IndexWatch* watch,
                                                  DamagedFiles& damaged) const;
  std::shared_ptr<const StoredIndex> open_merged(const std::set<std::string>& files) const;
  // Starts the thread that writes the merged file, if enough is new.
  void merge(const Loaded& loaded);
  void run_merge(const IndexesToStore& what, const Loaded& loaded, const std::stop_token& stop);
  void give_up(const std::shared_ptr<const StoredIndex>& stored, const Error& error)
      EXCLUDES(loaded_);

  const Files files_;
  const SealKey& key_;
  RepositoryCache* cache_ = nullptr;
  Guarded<Loaded> loaded_;
  std::atomic<bool> trusts_merged_ = true;
  Guarded<Turn> turn_;
  std::condition_variable turn_ended_;
  std::atomic<bool> is_merging_ = false;
  std::jthread merging_;  // started by the thread that has the turn
};

}  // namespace restree
