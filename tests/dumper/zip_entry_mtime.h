// Takes a time from libarchive, whose seconds have 32 bits on 32-bit processors: its source is
// compiled like libarchive (cmake/Room.cmake).
#pragma once

#include <cstdint>

struct archive_entry;

namespace restree::testing {

// When the entry was modified, in seconds since 1970.
std::int64_t mtime_of(archive_entry* entry);

}  // namespace restree::testing
