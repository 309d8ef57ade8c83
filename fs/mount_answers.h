// The values in which a mount answers: an entry, a listing, bytes of a file. The parts of a mount
// answer in the same ones.
//
// Pure values. Threads: each value belongs to the thread that asked for it.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "fs/ahead/tree_source.h"
#include "repo/base/bytes.h"
#include "repo/blob_source.h"

namespace restree {

// An entry of the mount with its attributes.
struct FoundEntry {
  std::uint64_t inode;
  struct stat attributes;
  bool lasting;            // never changes: the kernel may remember it without limit
  bool momentary = false;  // the attributes hold for now only
  // Another process may find another inode under this name, so every process has to ask.
  bool by_process = false;
  // But for so long all would find this one.
  std::chrono::seconds shared_for{0};
};

// Receives the entries of a listing until it has no room. `has_room` is asked first; `add` must
// then succeed. With attributes, `found` is set and a reference has been taken for it.
class EntryListing {
 public:
  virtual ~EntryListing() = default;
  virtual bool has_room(std::string_view name) = 0;
  virtual void add(std::string_view name, std::uint64_t inode, mode_t type,
                   const std::optional<FoundEntry>& found, std::uint64_t next_offset) = 0;
};

// Small files that the reader of another one will probably ask for next (FilesAhead).
struct NextFiles {
  std::uint64_t directory = 0;
  std::uint32_t view = 0;
  SharedCompactTree tree = nullptr;  // nullptr: none
  std::uint32_t begin = 0;           // positions in it
  std::uint32_t end = 0;
};

// Bytes as slices of decoded blobs, which they keep alive.
struct FileSlices {
  std::shared_ptr<const void> room;  // the memory that they take, until the reply is sent
  std::vector<SharedBlob> blobs;
  std::vector<ByteView> views;
  NextFiles next;
};

}  // namespace restree
