// Saves files and folders of the file system as the trees and blobs of a snapshot.
//
// Directories are saved depth first, by several threads; within one, entries are saved in order, so
// that files that are read together later lie together in the packs.
//
// Ownership: everything that ArchiveParts refers to must outlive the call.
// Threads:   any; a call has threads of its own, which call the events.
// Limits:    unfinished directories: about the depth of the tree for each thread. A directory takes
//            some 300 bytes an entry while it is being saved.
// Errors:    files and folders that cannot be read are passed to the events and left out. archive()
//            fails if nothing is left (kInvalid), the writer fails, or a stop is requested
//            (kCancelled).
// Format:    the same trees as restic's, node for node.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>

#include "repo/archiver/archive_events.h"
#include "repo/archiver/node_change.h"
#include "repo/archiver/source_filter.h"
#include "repo/archiver/target_tree.h"
#include "repo/base/result.h"
#include "repo/blob_source.h"
#include "repo/chunker/chunker.h"
#include "repo/writer/repository_writer.h"

namespace restree {

struct ArchiveOptions {
  ChangeDetection change_detection;
  bool with_atime = false;
  // Of what has one name only, and of folders, the number of the device is recorded as 0.
  bool device_for_links_only = false;
  std::size_t workers = 2;        // directories and files saved at once
  std::size_t chunk_threads = 2;  // chunks of large files saved at once
};

struct ArchiveResult {
  BlobId tree;
  struct Counts {
    std::uint64_t created = 0;
    std::uint64_t changed = 0;
    std::uint64_t unmodified = 0;
  };
  Counts files;
  Counts folders;
  std::uint64_t bytes = 0;   // of all files, read or not
  std::uint64_t errors = 0;  // calls of ArchiveEvents::on_error
};

struct ArchiveParts {
  RepositoryWriter& writer;
  BlobSource& blobs;  // for the trees of the previous backup
  const Chunker& chunker;
  const SourceFilter& filter;
  ArchiveEvents& events;
};

// `tree_before`: the root tree of the backup to compare with, if there is one.
Result<ArchiveResult> archive(const ArchiveParts& parts, const ArchiveOptions& options,
                              const TargetNode& targets, const std::optional<BlobId>& tree_before,
                              const std::stop_token& stop);

}  // namespace restree
