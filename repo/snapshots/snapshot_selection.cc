#include "repo/snapshots/snapshot_selection.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "repo/base/guarded.h"
#include "repo/base/log.h"
#include "repo/base/path.h"
#include "repo/base/restic_words.h"
#include "repo/base/thread_pool.h"
#include "repo/format/tree.h"
#include "repo/identity.h"
#include "repo/snapshots/future_dates.h"
#include "repo/tree_loading.h"

namespace restree {
namespace {

constexpr std::size_t kParallelSnapshots = 8;
// Each costs some round trips, and next to no work.
constexpr std::size_t kParallelFarSnapshots = 32;

// As snapshots name their paths: absolute, without dots and doubled or trailing slashes.
std::string as_recorded(const std::string& path) {
  std::error_code failure;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failure);
  return failure ? path : clean_path(absolute.string());
}

std::pair<std::string, std::string> split_subfolder(const std::string& word) {
  const std::size_t colon = word.find(':');
  if (colon == std::string::npos) return {word, {}};
  return {word.substr(0, colon), word.substr(colon + 1)};
}

Error no_subfolder_here() {
  return {ErrorKind::kInvalid, "<snapshot>:<subfolder> syntax not allowed"};
}

bool older(const Snapshot& a, const Snapshot& b) {
  return std::tie(a.time, a.id) < std::tie(b.time, b.id);
}

bool is_of_storage(ErrorKind kind) {
  return kind == ErrorKind::kUnavailable || kind == ErrorKind::kDenied ||
         kind == ErrorKind::kCancelled || kind == ErrorKind::kLocalIo;
}

Result<Snapshot> load_named(Repository& repository, const std::string& prefix, Deadline by) {
  ASSIGN_OR_RETURN(const std::string name,
                   find_file_by_prefix(repository, FileType::kSnapshot, prefix, by));
  const auto id = SnapshotId::parse(name);
  if (!id) return Error(ErrorKind::kInvalid, name + " is not an id");
  Result<Snapshot> snapshot = repository.load_snapshot(*id, by);
  if (!snapshot && snapshot.error().kind() == ErrorKind::kNotFound) {
    return Error(ErrorKind::kInvalid, fmt::format("there is no snapshot {}", name));
  }
  return snapshot;
}

void log_left_out(const UnreadableSnapshot& one) {
  log::warning("snapshot {} cannot be read, and is left out where the latest is looked for: {}",
               one.id.hex(), one.error.message());
}

// The snapshots that select_snapshots() has found so far.
class Selection {
 public:
  Selection(Repository& repository, const SnapshotFilter& filter, Deadline by,
            const OnIgnored& on_ignored)
      : repository_(repository), filter_(filter), by_(by), on_ignored_(on_ignored) {}

  Status add(const std::string& word) {
    if (word == kLatestSnapshot && std::exchange(used_filter_, true)) return {};
    Result<Snapshot> found = find(word);
    if (!found && is_of_storage(found.error().kind())) return std::move(found).error();
    if (!found) {
      on_ignored_(word, found.error());
    } else if (seen_.insert(found->id).second) {
      snapshots_.push_back(std::move(*found));
    }
    return {};
  }

  std::vector<Snapshot> finish() && {
    if (!used_filter_ && !filter_.empty()) {
      on_ignored_("filters", Error(ErrorKind::kInvalid, "explicit snapshot ids are given"));
    }
    return std::move(snapshots_);
  }

 private:
  Result<Snapshot> find(const std::string& word) {
    const auto [id, subfolder] = split_subfolder(word);
    if (id != word) return no_subfolder_here();
    if (word != kLatestSnapshot) return load_named(repository_, word, by_);
    // What is done to several snapshots is not done to one that may be another than was meant.
    std::optional<Error> doubt;
    const auto note_doubt = [&](const UnreadableSnapshot& one) {
      if (!doubt) doubt = Error(one.error).with("Error loading snapshot " + one.id.short_hex());
    };
    ASSIGN_OR_RETURN(std::optional<Snapshot> latest,
                     find_latest(repository_, filter_, std::nullopt, by_, note_doubt));
    if (doubt) return std::move(*doubt);
    if (latest) return std::move(*latest);
    return Error(ErrorKind::kInvalid,
                 "no snapshot matched given filter (" + filter_.description() + ")");
  }

  Repository& repository_;
  const SnapshotFilter& filter_;
  const Deadline by_;
  const OnIgnored& on_ignored_;
  bool used_filter_ = false;
  std::set<SnapshotId> seen_;
  std::vector<Snapshot> snapshots_;
};

}  // namespace

Result<std::string> find_by_prefix(const std::vector<std::string>& names, std::string_view prefix) {
  const std::string* match = nullptr;
  for (const std::string& name : names) {
    if (!name.starts_with(prefix)) continue;
    if (match != nullptr) {
      return Error(ErrorKind::kInvalid,
                   fmt::format("multiple IDs with prefix \"{}\" found", prefix));
    }
    match = &name;
  }
  if (match != nullptr) return *match;
  return Error(ErrorKind::kInvalid, fmt::format(restic_words::kNoMatchingId.text, prefix));
}

Result<std::string> find_file_by_prefix(Repository& repository, FileType type,
                                        std::string_view prefix, Deadline by) {
  if (const auto whole = SnapshotId::parse(prefix)) return whole->hex();
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files, repository.list_files(type, by));
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const ListedFile& file : files) names.push_back(file.name);
  return find_by_prefix(names, prefix);
}

Result<AllSnapshots> load_all_snapshots(Repository& repository, Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<SnapshotId> ids, repository.list_snapshots(by));
  Guarded<AllSnapshots> loaded;
  const bool is_far = repository.storage().read_habit().waits;
  const std::size_t threads = is_far ? kParallelFarSnapshots : kParallelSnapshots;
  RETURN_IF_ERROR(parallel_for(ids.size(), threads, [&](std::size_t i) -> Status {
    Result<Snapshot> snapshot = repository.load_snapshot(ids[i], by);
    if (snapshot) {
      loaded.lock()->readable.push_back(std::move(*snapshot));
    } else if (is_of_storage(snapshot.error().kind())) {
      return std::move(snapshot).error();
    } else if (snapshot.error().kind() != ErrorKind::kNotFound) {
      loaded.lock()->unreadable.push_back({ids[i], std::move(snapshot).error()});
    }
    return {};
  }));
  AllSnapshots all = std::move(*loaded.lock());
  std::sort(all.readable.begin(), all.readable.end(), older);
  std::sort(all.unreadable.begin(), all.unreadable.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  return all;
}

Result<std::optional<Snapshot>> find_latest(Repository& repository, SnapshotFilter filter,
                                            std::optional<Timestamp> not_after, Deadline by,
                                            const OnUnreadableSnapshot& on_unreadable) {
  for (std::string& path : filter.paths) path = as_recorded(path);
  ASSIGN_OR_RETURN(AllSnapshots all, load_all_snapshots(repository, by));
  for (const UnreadableSnapshot& one : all.unreadable) {
    on_unreadable ? on_unreadable(one) : log_left_out(one);
  }
  std::vector<const Snapshot*> matching;
  for (const Snapshot& snapshot : all.readable) {
    const bool is_in_time = !not_after || snapshot.time <= *not_after;
    if (is_in_time && filter.matches(snapshot)) matching.push_back(&snapshot);
  }
  // Whoever names a moment means dates up to then, whatever the clock says.
  const Timestamp now = not_after ? *not_after : wall_clock_now();
  const Snapshot* const latest = latest_of(matching, now);
  if (latest == nullptr) return std::optional<Snapshot>();
  warn_of_future(matching, *latest, now);
  return std::optional<Snapshot>(*latest);
}

Result<SelectedSnapshot> select_snapshot(Repository& repository, const std::string& word,
                                         const SnapshotFilter& filter, Deadline by) {
  auto [id, subfolder] = split_subfolder(word);
  if (id != kLatestSnapshot) return select_by_id(repository, word, by);
  ASSIGN_OR_RETURN(std::optional<Snapshot> latest,
                   find_latest(repository, filter, std::nullopt, by));
  if (!latest) {
    return Error(ErrorKind::kInvalid,
                 fmt::format(restic_words::kNoSnapshotFound.text, filter.description()));
  }
  return SelectedSnapshot{std::move(*latest), std::move(subfolder)};
}

Result<SelectedSnapshot> select_by_id(Repository& repository, const std::string& word,
                                      Deadline by) {
  auto [id, subfolder] = split_subfolder(word);
  ASSIGN_OR_RETURN(Snapshot snapshot, load_named(repository, id, by));
  return SelectedSnapshot{std::move(snapshot), std::move(subfolder)};
}

Result<std::vector<Snapshot>> select_snapshots(Repository& repository,
                                               const std::vector<std::string>& words,
                                               const SnapshotFilter& filter, Deadline by,
                                               const OnIgnored& on_ignored) {
  if (!words.empty()) {
    Selection selection(repository, filter, by, on_ignored);
    for (const std::string& word : words) RETURN_IF_ERROR(selection.add(word));
    return std::move(selection).finish();
  }
  ASSIGN_OR_RETURN(AllSnapshots all, load_all_snapshots(repository, by));
  for (const UnreadableSnapshot& one : all.unreadable) on_ignored(one.id.hex(), one.error);
  std::erase_if(all.readable, [&](const Snapshot& one) { return !filter.matches(one); });
  return std::move(all.readable);
}

Result<BlobId> find_subfolder(BlobSource& blobs, const BlobId& root, std::string_view subfolder,
                              Deadline by) {
  BlobId id = root;
  std::string so_far;
  for (const auto& part : std::filesystem::path(subfolder).lexically_normal()) {
    const std::string name = part.string();
    if (name.empty() || name == "/" || name == ".") continue;
    so_far += "/" + name;
    ASSIGN_OR_RETURN(const SharedTree tree, load_tree(blobs, id, by));
    const Node* node = tree->find(name);
    if (node == nullptr) {
      return Error(ErrorKind::kInvalid, fmt::format("path {}: not found", so_far));
    }
    if (node->type != NodeType::kDirectory || !node->subtree) {
      return Error(ErrorKind::kInvalid, fmt::format("path {}: not a directory", so_far));
    }
    id = *node->subtree;
  }
  return id;
}

}  // namespace restree
