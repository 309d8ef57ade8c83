// Merges indexes and writes them as a file for StoredIndex.
//
// Ownership: shares what it merges; the key must outlive it. Threads: one.
// Limits:    memory: a few hundred KB, the tables, and the names of all packs.
// Errors:    kLocalIo: the file cannot be written. kCorrupt, kLocalIo: what is merged is damaged.
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
  std::vector<IndexId> files;  // that all of it is from

  std::uint64_t blob_count() const;
  // What the file takes at most.
  std::uint64_t most_bytes() const;
};

// From the beginning of the file, which is cut to what was written. `go_on` is asked now and then:
// its error ends the work.
Status write_stored_index(int fd, const SealKey& key, const IndexesToStore& what,
                          const std::function<Status()>& go_on);

}  // namespace restree
