// Saves what comes out of a pipe as the only file of a snapshot; if nothing comes, only the folders
// above it, and no file is counted.
//
// Threads: any; a call has threads of its own for the chunks.
// Errors:  of reading; kInvalid: the name is none; the writer's.
// Format:  restic's `backup --stdin`: file mode 0644, folders above it 0755, one time for all, no
//          inode, device or names of owners.
#pragma once

#include <string>

#include "repo/archiver/archiver.h"
#include "repo/format/timestamp.h"

namespace restree {

struct StreamTarget {
  std::string name;  // a path in the snapshot
  Timestamp time;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

// The stream's levels, clean: "a/b". kInvalid: none.
Result<std::vector<std::string>> stream_levels(const std::string& name);

Result<ArchiveResult> archive_stream(const ArchiveParts& parts, const ArchiveOptions& options,
                                     SourceFile stream, const StreamTarget& target);

}  // namespace restree
