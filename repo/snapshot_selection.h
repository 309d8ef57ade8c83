// The snapshots that people name on a command line: an id or its beginning, `latest`, or a filter.
//
// Threads: any; snapshots are loaded by several at once. `by` bounds each call as a whole.
// Errors:  kInvalid: no snapshot is meant, or it is not clear which one; in restic's words. Others:
//          those of the repository.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/repository.h"
#include "repo/snapshot_filter.h"

namespace restree {

// The file's name that begins with `prefix`, among `names`.
Result<std::string> find_by_prefix(const std::vector<std::string>& names, std::string_view prefix);
// The same among the files of a type. A whole name is taken as it is, without a look.
Result<std::string> find_file_by_prefix(Repository& repository, FileType type,
                                        std::string_view prefix, Deadline by);

struct UnreadableSnapshot {
  SnapshotId id;
  Error error;
};

struct AllSnapshots {
  std::vector<Snapshot> readable;              // the oldest first; of equal times, by id
  std::vector<UnreadableSnapshot> unreadable;  // damaged, or in a format of the future
};

// Snapshots that go while this looks are left out. An Error is one of the storage.
Result<AllSnapshots> load_all_snapshots(Repository& repository, Deadline by);

// The newest one that the filter lets pass, and that was made at `not_after` or before; nullopt if
// there is none. Any unreadable snapshot is an error: it might be the one. Relative paths of the
// filter are taken from the current folder.
Result<std::optional<Snapshot>> find_latest(Repository& repository, SnapshotFilter filter,
                                            std::optional<Timestamp> not_after, Deadline by);

struct SelectedSnapshot {
  Snapshot snapshot;
  std::string subfolder;  // what stands behind the colon in ID:SUBFOLDER; empty: nothing
};

// One snapshot: `word` is an id, its beginning or `latest`, to which alone the filter applies.
Result<SelectedSnapshot> select_snapshot(Repository& repository, const std::string& word,
                                         const SnapshotFilter& filter, Deadline by);

// The same where `latest` means nothing, since no filter goes with it.
Result<SelectedSnapshot> select_by_id(Repository& repository, const std::string& word, Deadline by);

// Told what is left out, as it was named, and why.
using OnIgnored = std::function<void(const std::string& what, const Error& why)>;

// Those that `words` name, in their order, each once; without words, all that the filter lets pass,
// the oldest first. What cannot be found or read is left out.
Result<std::vector<Snapshot>> select_snapshots(Repository& repository,
                                               const std::vector<std::string>& words,
                                               const SnapshotFilter& filter, Deadline by,
                                               const OnIgnored& on_ignored);

// The tree that a subfolder of a snapshot is; an empty one is its root. kInvalid: there is no such
// folder.
Result<BlobId> find_subfolder(BlobSource& blobs, const BlobId& root, std::string_view subfolder,
                              Deadline by);

}  // namespace restree
