// The folder that holds one repository's cache: where each file lies, and the disk space it takes.
//
//   BASE/CACHEDIR.TAG
//   BASE/locations/                   which repository lies at which location: location_notes.h
//   BASE/<repository id>/
//     usage                           the size of the cache, and whose turn it is: cache_usage.h
//     indexed                         the set of index files that packs were last compared with
//     merged                          the index, merged (stored_index_format.h)
//     merged.new                      the next merged index, while it is written
//     marks  marks.new                what a prune has found out to be in use (repo/pruner/kept_marks.h)
//     listed                          when the repository's snapshots were last listed: seconds
//     config  keys/ID  index/ID  snapshots/ID     as they are in the repository
//     pins/ID                         snapshots whose packs are never evicted: cache_pins.h
//     data/PACK  trees/PACK           sealed blobs at their own offsets, with holes between them
//
// The folder can be deleted at any time. Nothing in it is trusted: the code that reads it compares
// files with their hashes and authenticates blobs.
//
// Ownership: holds the folder open, so that the same folder is used even if its path is renamed.
// Threads:   any, also during reopen().
// Errors:    kDenied: the folder belongs to another user, or other users may write there.
//            kNotFound, kLocalIo: a system call failed.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/repository_cache.h"

namespace restree {

// The disk space that a file takes: less than its size if it has holes.
std::uint64_t bytes_on_disk(const struct stat& attributes);

// In the order of eviction: data goes first.
enum class CachedKind : std::uint8_t { kData, kTree, kFile };

struct CachedFile {
  CachedKind kind;
  std::string path;     // relative to the folder
  std::uint64_t bytes;  // on the disk, without its holes
  std::int64_t used;    // time of the last use, in nanoseconds since 1970
  bool is_pinned = false;
};

// The path of the file in which a cache keeps a blob or a file, relative to the cache's folder.
std::string cache_path(const SealedPlace& place);
std::string cache_path(const FileName& file);

class CacheFolder {
 public:
  // Makes the folders that are missing. Existing folders can be opened on a read-only disk too.
  static Result<CacheFolder> open(const std::string& base, const std::string& name);
  // Opens an existing folder without checking its owner: for listing caches.
  static Result<CacheFolder> look_at(const std::string& path);

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }
  // True once the folder has been removed.
  bool is_deleted() const;
  // Makes the folder again, with those that it lies in. From then on whatever uses this object, on
  // any thread, uses the new folder. Errors: as open(); the old folder stays in use then.
  Status reopen() const;
  // Marks the cache as used now; `restree cache` shows that time.
  void touch() const { static_cast<void>(::futimens(fd_.get(), nullptr)); }

  Result<UniqueFd> open_to_read(const std::string& path) const;
  // Makes the file and its folder if they are missing.
  Result<UniqueFd> open_to_write(const std::string& path, bool empty) const;
  // How many bytes became free on the disk; 0 if there was no such file.
  std::uint64_t remove(const std::string& path) const;

  std::vector<std::string> names_in(const char* folder) const;
  // All files that count towards the cache's size limit.
  std::vector<CachedFile> scan() const;

 private:
  CacheFolder(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  UniqueFd fd_;
};

}  // namespace restree
