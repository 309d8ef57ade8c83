// Passes a time to libarchive, which was compiled with seconds of 32 bits on 32-bit processors: its source
// is compiled like that as well (cmake/Room.cmake).
#pragma once

#include "repo/text/timestamp.h"

struct archive_entry;

namespace restree {

// The nearest that libarchive's seconds can hold becomes the time at which the entry was modified.
void set_time(archive_entry* entry, Timestamp modified);

}  // namespace restree
