// The interface of a cache near the reader, for bytes that a repository has read from its storage.
//
// Only verified bytes are put in: sealed bytes that authenticate, files whose hash is their name.
// Bytes that come out may be damaged all the same, since they have lain on a disk: the caller
// verifies them again, and calls reject() if that fails.
// Threads: any, many at once; no call waits for long, except keep_merged_index().
// Errors:  none. The repository works without whatever a cache cannot do.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/format/id.h"
#include "repo/storage/storage.h"

namespace restree {

// Sealed bytes of one blob, or of blobs that follow each other.
struct SealedPlace {
  PackId pack;
  BlobType type;  // trees are kept apart: they are wanted more often, and for longer
  ByteRange range;
};

class RepositoryCache {
 public:
  virtual ~RepositoryCache() = default;

  // nullopt: the cache does not have all of these bytes.
  virtual std::optional<Bytes> read(const SealedPlace& place) = 0;
  // True if read() would probably return the bytes; costs far less than reading them.
  virtual bool has(const SealedPlace& place) = 0;
  virtual void keep(const SealedPlace& place, Bytes sealed) = 0;
  // The bytes that read() has returned were damaged. keep() will replace them with the right ones.
  virtual void reject(const SealedPlace& place) = 0;

  // The same for config, key, index and snapshot files.
  virtual std::optional<Bytes> read(const FileName& file) = 0;
  virtual void keep(const FileName& file, ByteView content) = 0;
  virtual void reject(const FileName& file) = 0;
  // The repository has this file no more.
  virtual void forget(const FileName& file) = 0;
  // The names of the files of one type in the cache, damaged files included.
  virtual std::vector<std::string> names(FileType type) = 0;

  // The repository has these snapshots and no others: the cache may drop all others. The second
  // does the same for index files, and for packs that no index names; `packs` returns the packs
  // that one names, sorted.
  virtual void retain_snapshots(std::vector<std::string> names) = 0;
  virtual void retain_indexed(std::vector<std::string> index_names,
                              const std::function<std::vector<PackId>()>& packs) = 0;

  // The merged index, which the repository itself writes. Empty: the cache has none.
  virtual UniqueFd open_merged_index() = 0;
  // Has `write` fill a file of at most `most_bytes`, which then replaces the earlier one; returns
  // when that is done. False: there is no room, another process is writing one, or `write` failed.
  virtual bool keep_merged_index(std::uint64_t most_bytes,
                                 const std::function<Status(int fd)>& write) = 0;
};

}  // namespace restree
