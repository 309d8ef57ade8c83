// Hands entries and their attributes to libfuse.
//
// On 32-bit processors libfuse was compiled with seconds of 32 bits, so that its struct stat is not the
// one of this project, which has seconds of 64 bits there (cmake/Room.cmake). Only the source of
// these functions is compiled as libfuse was; everything else passes a struct statx, which is the same
// for both. Times that libfuse's seconds cannot hold become the nearest that they can.
//
// Pure functions but for the reply. Threads: any.
#pragma once

#include <fuse_lowlevel.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>

namespace restree {

struct ShownEntry {
  std::uint64_t inode = 0;  // 0: nothing has this name
  struct statx attributes {};
  double attribute_seconds = 0;  // for how long the kernel may believe the attributes
  double entry_seconds = 0;      // and the name
};

// What libfuse returns: 0, or a negative errno.
int reply_entry(fuse_req_t request, const ShownEntry& entry);
int reply_attributes(fuse_req_t request, const struct statx& attributes, double seconds);

// Writes an entry of a listing to `at` if it fits into `room`. Returns the size that it needs.
// The first takes inode and type from the attributes, and nothing else.
std::size_t add_name(fuse_req_t request, char* at, std::size_t room, const char* name,
                     const struct statx& attributes, off_t next_offset);
std::size_t add_entry(fuse_req_t request, char* at, std::size_t room, const char* name,
                      const ShownEntry& entry, off_t next_offset);

}  // namespace restree
