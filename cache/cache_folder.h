// The folder in which one repository's cache lies: what is where, and what it takes on the disk.
//
//   BASE/CACHEDIR.TAG
//   BASE/locations/                   whose cache is whose: location_notes.h
//   BASE/<repository id>/
//     usage                           what all of it takes, and whose turn it is: cache_usage.h
//     indexed                         the set of index files that packs were last compared with
//     merged                          the index, merged (stored_index_format.h)
//     merged.new                      the next one, while it is written
//     listed                          when the repository's snapshots were last listed: seconds
//     config  keys/ID  index/ID  snapshots/ID     as they are in the repository
//     pins/ID                         snapshots whose packs are to stay: cache_pins.h
//     data/PACK  trees/PACK           sealed blobs at their own offsets, with holes between them
//
// It can be deleted at any time. Nothing in it is believed: files are compared with their hash, and
// blobs are authenticated, by whoever reads them.
//
// Ownership: holds the folder open, and knows it by that, whatever becomes of its path.
// Threads:   any.
// Errors:    kDenied: the folder is somebody else's, or others may write there. kNotFound,
//            kLocalIo: what the system says.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/repository_cache.h"

namespace restree {

// What a file takes of the disk, which for one with holes is less than its size.
std::uint64_t bytes_on_disk(const struct stat& attributes);

// In the order in which they have to go.
enum class CachedKind : std::uint8_t { kData, kTree, kFile };

struct CachedFile {
  CachedKind kind;
  std::string path;     // relative to the folder
  std::uint64_t bytes;  // on the disk, without its holes
  std::int64_t used;    // when last, in nanoseconds since 1970
  bool is_pinned = false;
};

// Where a cache keeps something, relative to its folder.
std::string cache_path(const SealedPlace& place);
std::string cache_path(const FileName& file);

class CacheFolder {
 public:
  // Makes what is missing of it. On a disk that is read-only, what is there can be opened still.
  static Result<CacheFolder> open(const std::string& base, const std::string& name);
  // One that is there, without a look at whose it is: for lists.
  static Result<CacheFolder> look_at(const std::string& path);

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }
  // True once somebody has removed the folder.
  bool is_deleted() const;
  // Marks it as used, for `restree cache`.
  void touch() const { static_cast<void>(::futimens(fd_.get(), nullptr)); }

  Result<UniqueFd> open_to_read(const std::string& path) const;
  // Makes the file, and the folder that it lies in, where they are missing.
  Result<UniqueFd> open_to_write(const std::string& path, bool empty) const;
  // What that has given back on the disk; 0: it was not there.
  std::uint64_t remove(const std::string& path) const;

  std::vector<std::string> names_in(const char* folder) const;
  // All that counts for the limit.
  std::vector<CachedFile> scan() const;

 private:
  CacheFolder(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  UniqueFd fd_;
};

}  // namespace restree
