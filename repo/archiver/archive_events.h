// The events of a running backup, for showing its progress.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "repo/archiver/file_saver.h"
#include "repo/base/result.h"

namespace restree {

enum class ItemChange : std::uint8_t { kNew, kModified, kUnmodified };

struct SavedItem {
  std::string_view path;  // in the snapshot
  NodeType type;
  ItemChange change;
  std::uint64_t size;  // of a file's content
  AddedSizes data;
  AddedSizes metadata;  // of a directory: its tree
  std::chrono::nanoseconds duration;
};

// Threads: every function may be called by several threads at once.
class ArchiveEvents {
 public:
  virtual ~ArchiveEvents() = default;

  // A file or folder could not be read, so it is missing from the snapshot or incomplete in it.
  // `path`: its path in the file system.
  virtual void on_error(const std::string& path, const Error& error) = 0;
  // The file's inode number has stood for other content earlier in this backup; the file is saved
  // as one without other names.
  virtual void on_number_reused(const std::string& path) = 0;
  virtual void on_file_begun(std::string_view path) = 0;
  virtual void on_bytes_read(std::uint64_t count) = 0;
  virtual void on_saved(const SavedItem& item) = 0;
};

}  // namespace restree
