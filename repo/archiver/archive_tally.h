// What a backup has saved so far: counted, and reported to its events.
//
// Ownership: the events must outlive it. Threads: any.
#pragma once

#include <chrono>
#include <string>

#include "repo/archiver/archive_events.h"
#include "repo/archiver/archiver.h"
#include "repo/archiver/file_saver.h"
#include "repo/archiver/source_node.h"
#include "repo/base/guarded.h"
#include "repo/format/tree.h"

namespace restree {

// How an entry whose content was read, or which has none, compares with its node in the backup
// before; nullptr: there it is not. Every field counts.
ItemChange change_of(const SourceNode& node, const Node* before);

class ArchiveTally {
 public:
  explicit ArchiveTally(ArchiveEvents& events) : events_(events) {}

  // Something could not be saved as it is.
  void complain(const std::string& path, const Error& error);
  // An entry was saved. `path`: in the snapshot. `added`: for a file its data, for a folder its tree.
  void report(const std::string& path, const SourceNode& node, ItemChange change,
              const AddedSizes& added, std::chrono::steady_clock::time_point begun);

  // All counts; the tree is not set.
  ArchiveResult result() const { return *result_.lock(); }

 private:
  void count(const SourceNode& node, ItemChange change);

  ArchiveEvents& events_;
  Guarded<ArchiveResult> result_;
};

}  // namespace restree
