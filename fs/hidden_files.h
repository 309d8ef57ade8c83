// The folder .restree at the root of a mount, and the files in it: made by the mount itself, and
// found only by a program that asks for their names. No listing of the root shows the folder, so a
// program that copies the whole mount does not copy it.
//
// The kernel reads such a file through its page cache, like any other: `open` is answered with
// ENOSYS once for all files, so no single file can be opened past the cache. The kernel believes
// the size that it was given, and keeps pages until the time of the last change differs. Therefore:
// - the length of a file's content never changes;
// - attributes of a file hold for no time, and its last change is always now;
// - the content is made by each read from the beginning, and later reads go on in that content.
// A file whose length does change is another file each time: looking up its name makes the content, and
// where that is not the content of the last time it gets an inode of its own, which never changes.
#pragma once

#include <time.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/attributes.h"
#include "fs/mount_answers.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"

namespace restree {

// Ownership: keeps of each file the content that was read last.
// Threads:   any; `content` of a file is called by any of them, with no lock held.
// Errors:    kInvalid: the folder cannot be read as a file.
class HiddenFiles {
 public:
  static constexpr std::string_view kFolderName = ".restree";

  // A row of the table of hidden files.
  struct File {
    std::string name;
    std::optional<std::size_t> size_bytes;  // of every content; nullopt: it varies
    std::function<std::string()> content;   // as it is now
  };

  // So many contents of a file whose length varies are kept for those who have it open.
  static constexpr std::size_t kKeptVersions = 16;

  HiddenFiles(std::vector<File> files, const Ownership& ownership);

  // Whether the inode is the folder or one of its files.
  bool holds(std::uint64_t inode) const;
  std::optional<std::uint64_t> find(std::uint64_t directory, std::string_view name);

  // The calls below are for inodes that holds() accepts.
  FoundEntry show(std::uint64_t inode) const;
  // Of the folder, from `offset` on: 0, or the next_offset of the last entry received.
  void list(std::uint64_t offset, EntryListing& listing) const;
  // Up to `size` bytes; fewer only at the end of the file.
  Result<FileSlices> read(std::uint64_t inode, std::uint64_t offset, std::size_t size);
  // The next byte from `offset` on that is data, or that lies in a hole: the files have no holes,
  // so only their end counts as one. nullopt: there is no such byte.
  std::optional<std::uint64_t> seek(std::uint64_t inode, std::uint64_t offset, bool data) const;

 private:
  struct Version {
    std::uint64_t inode = 0;
    std::uint64_t number = 0;
    timespec made{};
    SharedBlob content;
  };
  struct Entry {
    Entry(File described, std::uint64_t number) : file(std::move(described)), inode(number) {}
    File file;
    std::uint64_t inode;
    Guarded<SharedBlob> last_read;
    Guarded<std::deque<Version>> versions;  // of a file whose length varies; the oldest first
  };
  // nullptr: none has this number for its own.
  const Entry* entry(std::uint64_t inode) const;
  std::optional<Version> version(std::uint64_t inode) const;
  Result<SharedBlob> content(std::uint64_t inode, std::uint64_t offset);
  static std::uint64_t newest_version(Entry& entry);

  const Ownership ownership_;
  std::deque<Entry> entries_;  // fixed once this is constructed; a Guarded cannot be moved
};

}  // namespace restree
