// Saves the bytes that come out of a pipe as the only file of a snapshot. If the pipe is empty,
// only the folders above the file are saved, and no file is counted.
//
// Threads: any; a call has threads of its own for the chunks.
// Errors:  those of reading and of the writer; kInvalid: not a valid name for a file.
// Format:  as restic's `backup --stdin`: file mode 0644, folders above it 0755, one time for all,
//          no inode, device or names of owners.
#pragma once

#include <string>

#include "repo/archiver/archiver.h"
#include "repo/text/timestamp.h"

namespace restree {

struct StreamTarget {
  std::string name;  // a path in the snapshot
  Timestamp time;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

// The components of the cleaned name, for example "a" and "b" of "a//b". kInvalid: there are none.
Result<std::vector<std::string>> stream_levels(const std::string& name);

Result<ArchiveResult> archive_stream(const ArchiveParts& parts, const ArchiveOptions& options,
                                     SourceFile stream, const StreamTarget& target);

}  // namespace restree
