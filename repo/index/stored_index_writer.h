// Merges indexes and writes them as a file for StoredIndex.
//
// Ownership: shares what it merges; the key must outlive it. Threads: one.
// Limits:    memory: a few hundred KB, the tables, and the names of all packs.
// Errors:    kLocalIo: the file cannot be written. kCorrupt, kLocalIo: an index to merge is
//            damaged.
// Format:    stored_index_format.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "repo/base/result.h"
#include "repo/crypto/seal.h"
#include "repo/index/index.h"
#include "repo/index/stored_index.h"

namespace restree {

struct IndexesToStore {
  std::shared_ptr<const StoredIndex> stored;  // may be null
  std::vector<std::shared_ptr<const Index>> parts;
  std::vector<IndexId> files;  // from which all of it comes

  std::uint64_t blob_count() const;
  // The most bytes that the file can take.
  std::uint64_t most_bytes() const;
};

// Writes from the beginning of the file, and cuts it to that length. `go_on` is called now and
// then: its error ends the work.
Status write_stored_index(int fd, const SealKey& key, const IndexesToStore& what,
                          const std::function<Status()>& go_on);

}  // namespace restree
