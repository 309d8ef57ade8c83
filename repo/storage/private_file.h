// Files that this machine keeps for one user: in the folder for state, readable by nobody else.
//
// Threads: any; one at a time for a path.
// Errors:  kNotFound: it is not there. kCorrupt: it is no regular file, or too large. Others: those of
//          the local disk.
#pragma once

#include <cstdint>
#include <string>

#include "repo/base/bytes.h"
#include "repo/base/result.h"

namespace restree {

// Writes a file so that others see either nothing, or what was there, or all of it, and it survives a
// power cut. Folders that are missing are made, for their owner only.
Status write_private_file(const std::string& path, ByteView content);

Result<std::string> read_private_file(const std::string& path, std::uint64_t most_bytes);

// Removing what is not there is no error.
Status remove_private_file(const std::string& path);

}  // namespace restree
