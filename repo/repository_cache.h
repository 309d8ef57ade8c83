// What a repository keeps nearby of the bytes that it has read from its storage.
//
// It takes bytes once they have proved right: sealed bytes that authenticate, files whose hash is
// their name. What it gives may be damaged all the same, as it has lain on a disk since: whoever
// takes it proves it again, and says so where it fails.
// Threads: any, many at once; no call waits for long, but for keep_merged_index().
// Errors:  none. Whatever is in a cache's way, the repository can do without it.
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

  // nullopt: not all of it is here.
  virtual std::optional<Bytes> read(const SealedPlace& place) = 0;
  // True if read() would probably give it; costs far less than reading it.
  virtual bool has(const SealedPlace& place) = 0;
  virtual void keep(const SealedPlace& place, Bytes sealed) = 0;
  // What read() gave was damaged. The right bytes will be kept in its place once they were read.
  virtual void reject(const SealedPlace& place) = 0;

  // The same for config, key, index and snapshot files.
  virtual std::optional<Bytes> read(const FileName& file) = 0;
  virtual void keep(const FileName& file, ByteView content) = 0;
  virtual void reject(const FileName& file) = 0;
  // Those of one type that are here, whole or not.
  virtual std::vector<std::string> names(FileType type) = 0;

  // The repository has these files of the type, and no others: what else is here may go. Of index
  // files also the packs that no index names any more; `packs` tells, sorted, those that one names.
  virtual void retain_snapshots(std::vector<std::string> names) = 0;
  virtual void retain_indexed(std::vector<std::string> index_names,
                              const std::function<std::vector<PackId>()>& packs) = 0;

  // A file of the repository's own making, for it to read: its index, merged. Empty: not here.
  virtual UniqueFd open_merged_index() = 0;
  // Has `write` fill a file, of `most_bytes` at most, that then takes the place of the one before;
  // returns when that is done. False: there is no room, another process is at it, or `write`
  // failed.
  virtual bool keep_merged_index(std::uint64_t most_bytes,
                                 const std::function<Status(int fd)>& write) = 0;
};

}  // namespace restree
