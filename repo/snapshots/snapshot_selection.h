// Finds the snapshots that users name on a command line: by id or its beginning, by `latest`, or by
// a filter.
//
// Threads: any; several load snapshots at once. `by` bounds each call as a whole.
// Errors:  kInvalid: no snapshot matches, or more than one; in restic's words. Others: those of the
//          repository.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/repository.h"
#include "repo/snapshots/snapshot_filter.h"

namespace restree {

// The word for the newest snapshot that matches the filter.
constexpr std::string_view kLatestSnapshot = "latest";

// The one among `names` that begins with `prefix`.
Result<std::string> find_by_prefix(const std::vector<std::string>& names, std::string_view prefix);
// The same among the files of a type. A whole name is returned without a check whether it exists.
Result<std::string> find_file_by_prefix(Repository& repository, FileType type,
                                        std::string_view prefix, Deadline by);

struct UnreadableSnapshot {
  SnapshotId id;
  Error error;
};

struct AllSnapshots {
  std::vector<Snapshot> readable;              // the oldest first; of equal times, by id
  std::vector<UnreadableSnapshot> unreadable;  // damaged, or in a newer format
};

// Snapshots that are removed meanwhile are left out. Errors: those of the storage.
Result<AllSnapshots> load_all_snapshots(Repository& repository, Deadline by);

// The newest snapshot that matches the filter and was made no later than `not_after`; nullopt if
// there is none. If no moment is given, a snapshot dated in the future is passed over (future_dates.h),
// which the log says. Relative paths of the filter are relative to the current folder. `on_unreadable` is
// called for each snapshot that cannot be read, and might have been that one; without it, the log has them.
using OnUnreadableSnapshot = std::function<void(const UnreadableSnapshot& one)>;
Result<std::optional<Snapshot>> find_latest(Repository& repository, SnapshotFilter filter,
                                            std::optional<Timestamp> not_after, Deadline by,
                                            const OnUnreadableSnapshot& on_unreadable = {});

struct SelectedSnapshot {
  Snapshot snapshot;
  std::string subfolder;  // the part after the colon in ID:SUBFOLDER; empty if there is none
};

// Selects one snapshot: `word` is an id, its beginning or `latest`. The filter applies only to
// `latest`.
Result<SelectedSnapshot> select_snapshot(Repository& repository, const std::string& word,
                                         const SnapshotFilter& filter, Deadline by);

// The same for commands without a filter, where `latest` has no meaning.
Result<SelectedSnapshot> select_by_id(Repository& repository, const std::string& word, Deadline by);

// Called with each word that is ignored, as the user wrote it, and the reason.
using OnIgnored = std::function<void(const std::string& what, const Error& why)>;

// The snapshots that `words` name, in this order, each once; without words, all that match the
// filter, the oldest first. Snapshots that cannot be found or read are left out.
Result<std::vector<Snapshot>> select_snapshots(Repository& repository,
                                               const std::vector<std::string>& words,
                                               const SnapshotFilter& filter, Deadline by,
                                               const OnIgnored& on_ignored);

// The tree of a subfolder of a snapshot; if `subfolder` is empty, the root. kInvalid: there is no
// such folder.
Result<BlobId> find_subfolder(BlobSource& blobs, const BlobId& root, std::string_view subfolder,
                              Deadline by);

}  // namespace restree
