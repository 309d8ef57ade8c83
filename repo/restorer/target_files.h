// The regular files of a restore: made when their first blob comes, finished with their last.
//
// A file that replaces another entry is made beside it, under a name of its own, and takes its place
// once its content is complete; until then the old entry stays. All is done through descriptors; one
// that is opened again must lead to the same file as before.
// Ownership: descriptors of the files under way; folders, metadata and tasks outlive it.
// Threads:   any, also for one file; its blobs come in any order.
// Limits:    kMostOpen descriptors; the files beyond are opened anew for each blob.
// Errors:    those of one file; target_is_full() says whether the next files would fail as well.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/restorer/entry_identity.h"
#include "repo/restorer/existing_file.h"
#include "repo/restorer/restore_options.h"
#include "repo/restorer/target_folders.h"
#include "repo/restorer/target_metadata.h"

namespace restree {

// A file whose content is written, in whole or in part.
//
// Threads: blobs of one file may be written and fail on several; finishing is for one, after them.
class FileTask {
 public:
  PlannedItem item{};
  std::optional<ExistingFile> existing;  // the old file, if it is written into
  // Something stands in its place, `existing` or anything else.
  std::atomic<bool> replaces = false;
  std::atomic<std::uint32_t> missing = 0;  // blobs still to come
  bool finished = false;                   // completely restored, or given up

  // The content will not be complete. Only the first reason is kept; most later ones are the same.
  void fail(const Error& error);
  bool failed() const { return failed_; }
  // The reason passed to fail(). Only for a file that has failed and of which no blob is under way.
  const Error& reason() const { return *reason_; }

  // Something in the target was changed for it.
  bool is_begun() const { return begun_; }
  // False if the file is known to remain incomplete and its blobs would only spoil the old one, or
  // it will not take the old one's place.
  bool may_be_written() const { return !failed_ || !replaces || (begun_ && beside_ == nullptr); }
  // Of a file that is finished: which one it is.
  const EntryIdentity& identity() const { return identity_; }

 private:
  friend class TargetFiles;
  std::unique_ptr<const std::string> beside_;  // the name under which it is made, if another
  EntryIdentity identity_;                     // once it is opened
  std::atomic<bool> failed_ = false;
  std::atomic<bool> begun_ = false;
  std::atomic<bool> has_content_ = false;  // a blob was written in full
  std::unique_ptr<const Error> reason_;    // written by the thread that has set failed_
  std::once_flag opening_;
  std::unique_ptr<const Error> opening_error_;
  UniqueFd fd_;
};

class TargetFiles {
 public:
  struct Options {
    bool sparse = false;
    bool remove_unexpected = false;  // a folder in a file's place goes, with all that lies in it
  };
  TargetFiles(TargetFolders& folders, const TargetMetadata& metadata, Options options)
      : folders_(folders), metadata_(metadata), options_(options), is_root_(::geteuid() == 0) {}

  Status write(FileTask& task, std::uint64_t position, ByteView bytes);
  // Called after the last blob, or for a file that has none: sets the file's size, and puts it into
  // its place.
  Status complete(FileTask& task);
  // Sets the metadata of a complete file.
  Status finish(FileTask& task);

  // The state in which a file that has failed is left.
  enum class Left : std::uint8_t { kAsItWas, kNothing, kIncomplete, kPartlyOverwritten };
  // Instead of finish(). A file of which nothing was written is removed again if it was new, and so
  // is one that was made beside another. Any other gets the snapshot's owner and mode, as it has
  // content of the snapshot's, and a time before the snapshot's: nothing that looks at times takes
  // it for complete, or for newer. `incomplete`: what becomes of a new one with a part of its content.
  Left give_up(FileTask& task, Incomplete incomplete);

  // Whether an existing file with the right content may stay, and get the snapshot's metadata; and
  // whether content of the snapshot may be written into one.
  bool may_keep(const ExistingFile& existing, const PlannedItem& item);
  bool may_write_into(const ExistingFile& existing, const PlannedItem& item);
  // Sets the metadata of one that stays.
  Status set_metadata(const ExistingFile& existing, const PlannedItem& item);

  // No room or a read-only file system: what comes next cannot be written either.
  bool target_is_full() const { return target_is_full_; }
  std::string path(const PlannedItem& item) const;

 private:
  static constexpr int kMostOpen = 256;

  Status open_once(FileTask& task);
  Result<UniqueFd> open_first(FileTask& task) const;
  Result<UniqueFd> open_to_write(const FileTask& task, const UniqueFd& folder,
                                 const EntryIdentity& expected) const;
  Result<UniqueFd> create(FileTask& task, const UniqueFd& folder) const;
  Status make_room(int fd, const PlannedItem& item) const;
  Result<UniqueFd> open_again(const FileTask& task) const;
  Result<UniqueFd> take_descriptor(FileTask& task);
  Status replace(FileTask& task) const;
  bool is_of_another(const ExistingFile& existing, const PlannedItem& item);
  // The error for the current errno.
  Error failed(const char* doing, const PlannedItem& item) const;

  TargetFolders& folders_;
  const TargetMetadata& metadata_;
  const Options options_;
  const bool is_root_;
  std::atomic<int> open_count_ = 0;
  mutable std::atomic<bool> target_is_full_ = false;
};

}  // namespace restree
