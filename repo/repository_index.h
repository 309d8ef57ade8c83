// The index of a repository in memory: loaded from its index files, and brought up to date with
// those that come and go.
//
// Ownership: the storage and the cache must outlive it.
// Threads:   any.
// Limits:    see index.h.
// Errors:    of refresh(): those of the storage. A damaged index file is none: it is left out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/format/index_file.h"
#include "repo/index/index.h"
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

class RepositoryIndex {
 public:
  // As many parts as it was brought up to date.
  using Parts = std::vector<std::shared_ptr<const Index>>;
  // The JSON inside an index file.
  using LoadFile = std::function<Result<Bytes>(const FileName& file, Deadline by)>;

  RepositoryIndex(Storage& storage, LoadFile load_file)
      : storage_(storage), load_file_(std::move(load_file)) {}

  // It is told from now on which index files and packs there are. Before the first refresh.
  void use_cache(RepositoryCache& cache) { cache_ = &cache; }

  // See Repository::refresh_index().
  Result<bool> refresh(Deadline by, IndexWatch* watch);

  std::shared_ptr<const Parts> parts() const { return loaded_.lock()->parts; }
  std::optional<BlobLocation> find(BlobType type, const BlobId& id) const;
  std::vector<BlobLocation> find_all(BlobType type, const BlobId& id) const;
  // Every pack that it names, each once, in order.
  std::vector<PackId> packs() const;
  IndexFigures figures() const;

 private:
  struct Loaded {
    std::shared_ptr<const Parts> parts = std::make_shared<Parts>();
    std::set<std::string> files;
  };
  // At most one refresh runs; whoever else wants one waits for the next to begin and to end, since
  // the running one may have listed the files too early to see what this caller is after.
  struct Turn {
    std::uint64_t begun = 0;
    std::uint64_t ended = 0;
    Result<bool> last = false;
  };

  Result<bool> refresh_now(Deadline by, IndexWatch* watch);
  Result<std::shared_ptr<const Index>> load_files(const std::vector<std::string>& names,
                                                  Deadline by, IndexWatch* watch) const;

  Storage& storage_;
  const LoadFile load_file_;
  RepositoryCache* cache_ = nullptr;
  Guarded<Loaded> loaded_;
  Guarded<Turn> turn_;
  std::condition_variable turn_ended_;
};

}  // namespace restree
