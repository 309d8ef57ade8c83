// The file in which a journal is kept: sealed entries, one behind the other.
//
//   file   := "restree journal 1\n" record*
//   record := length:u32le sealed(number:u32le entry)
//
// Sealed with the repository's key, so that only its password opens it. Records are numbered from 0, so
// that none can be taken out. A record that a kill or a full disk has cut off at the end is left out,
// and the next one takes its place.
//
// Ownership: holds a lock on the file: other processes wait in open() for as long as it lives.
// Threads:   one. The repository must outlive it.
// Limits:    a file of kMostJournalBytes; larger ones are refused.
// Errors:    kCorrupt: the file is not of that form, or a record in the middle is damaged. kUnavailable:
//            another process keeps it for too long. Others: those of the local disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/journal/journal_entry.h"
#include "repo/repository.h"

namespace restree {

inline constexpr std::uint64_t kMostJournalBytes = std::uint64_t{1} << 28;

// What changes with every write to a file.
struct FileStamp {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t changed_ns = 0;  // since 1970
  bool operator==(const FileStamp&) const = default;
};
// All zeros: it is not there.
FileStamp stamp_of(const std::string& path);

class JournalFile {
 public:
  // Makes the file where it is missing.
  static Result<JournalFile> open(const std::string& path, const Repository& repository,
                                  Deadline by);

  const std::vector<JournalEntry>& entries() const { return entries_; }
  const std::string& path() const { return path_; }
  // As it was opened, by others.
  const FileStamp& stamp_before() const { return stamp_before_; }
  // Of a record at the end that was cut off.
  std::uint64_t bytes_left_out() const { return bytes_left_out_; }

  // Entries that nobody has to look at any more are condensed once they take most of a large file.
  Status append(const JournalEntry& entry);
  // Gives the file another name in its folder, with which it is opened from then on.
  Status move_to(const std::string& path);

 private:
  JournalFile(std::string path, const Repository& repository, UniqueFd fd)
      : path_(std::move(path)), repository_(&repository), fd_(std::move(fd)) {}
  Status read();
  Result<std::string> record_of(const JournalEntry& entry, std::size_t number) const;
  Status condense();

  std::string path_;
  const Repository* repository_;
  UniqueFd fd_;
  std::vector<JournalEntry> entries_;
  FileStamp stamp_before_;
  std::uint64_t end_ = 0;  // behind the last whole record
  std::uint64_t bytes_left_out_ = 0;
};

// What is left of `entries` if those before the first that has found something, and was not accepted
// since, become one.
std::vector<JournalEntry> condensed_entries(const std::vector<JournalEntry>& entries);

}  // namespace restree
