// What the system's calls on open files leave to their callers: going on after a short transfer or
// a signal, and closing.
//
// Threads: any; a descriptor must not be closed meanwhile. Errors: as errno values, since only the
// caller knows what to say about the file, and what a file that ends early means.
#pragma once

#include <dirent.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "repo/base/bytes.h"

namespace restree {

struct ReadCount {
  std::size_t bytes = 0;  // fewer than were asked for: the file ends there, or reading failed
  int error = 0;          // the errno value that ended the reading; 0 if none did

  bool is_all_of(MutableByteView asked) const { return bytes == asked.size(); }
};

// Fills `into` with what lies at `offset`, as far as the file reaches.
ReadCount read_at(int fd, std::uint64_t offset, MutableByteView into);

// Writes all of `bytes` at `offset`. Returns 0 or an errno value; then some may be written.
int write_at(int fd, std::uint64_t offset, ByteView bytes);

// The same at the current position, and for pipes and terminals.
int write_all(int fd, ByteView bytes);

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
// A directory being read. Null where opendir(3) or fdopendir(3) failed.
using DirectoryStream = std::unique_ptr<DIR, CloseDirectory>;

}  // namespace restree
