// The regular files of a restore: made when their first blob comes, finished with their last.
//
// Ownership: descriptors of the files under way; folders, metadata and tasks outlive it.
// Threads:   any, also for one file; its blobs come in any order.
// Limits:    kMostOpen descriptors; the files beyond are opened anew for each blob.
// Errors:    of the one file; target_is_full() tells if it is not only that.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/restorer/existing_file.h"
#include "repo/restorer/target_folders.h"
#include "repo/restorer/target_metadata.h"

namespace restree {

// A file whose content is written, in whole or in part.
struct FileTask {
  PlannedItem item{};
  std::optional<ExistingFile> existing;    // what is there and may be kept
  std::atomic<std::uint32_t> missing = 0;  // blobs still to come
  std::atomic<bool> failed = false;        // an error was told, and the content is not complete

 private:
  friend class TargetFiles;
  std::once_flag opening_;
  std::optional<Error> opening_error_;
  UniqueFd fd_;
};

class TargetFiles {
 public:
  struct Options {
    bool sparse = false;
    bool remove_unexpected = false;  // a folder in a file's place goes, with all that lies in it
  };
  TargetFiles(TargetFolders& folders, const TargetMetadata& metadata, Options options)
      : folders_(folders), metadata_(metadata), options_(options) {}

  Status write(FileTask& task, std::uint64_t position, ByteView bytes);
  // After the last blob, or for a file that has none. A file that failed keeps the time of now:
  // nothing that looks at times takes it for complete.
  Status finish(FileTask& task);
  // The metadata of a file whose content is right already.
  Status set_metadata(const PlannedItem& item);

  // No room or a read-only file system: what comes next cannot be written either.
  bool target_is_full() const { return target_is_full_; }
  std::string path(const PlannedItem& item) const;

 private:
  static constexpr int kMostOpen = 256;

  Status open_once(FileTask& task);
  Result<UniqueFd> open_first(FileTask& task) const;
  Result<UniqueFd> open_again(const PlannedItem& item) const;
  Status clear_place(const UniqueFd& folder, const std::string& name,
                     const std::string& path) const;
  // For the errno there is.
  Error failed(const char* doing, const PlannedItem& item) const;

  TargetFolders& folders_;
  const TargetMetadata& metadata_;
  const Options options_;
  std::atomic<int> open_count_ = 0;
  mutable std::atomic<bool> target_is_full_ = false;
};

}  // namespace restree
