// What depends on the version of the running kernel.
//
// Pure functions; any thread.
#pragma once

#include <string_view>

namespace restree {

// Whether the kernel fills the rest of a file's last page with zeros when it is given the content
// of the file (FUSE_NOTIFY_STORE). Older ones left there what the memory held before, which a
// program could see through mmap(2): CVE-2024-44947, mended in Linux 6.11 and, on that day, in the
// series that were still cared for. `release` and `version`: as uname(2) has them; Debian's kernels
// have their number in the latter. False if that cannot be told.
bool zeroes_ends_of_files(std::string_view release, std::string_view version);

}  // namespace restree
