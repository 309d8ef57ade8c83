#include "tools/commands/forget_undo.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "program/state_folder.h"
#include "repo/base/guarded.h"
#include "repo/base/path.h"
#include "repo/base/thread_pool.h"
#include "repo/identity.h"
#include "repo/snapshots/forgotten_snapshots.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/text/json_writer.h"
#include "repo/trees/tree_walk.h"

namespace restree {
namespace {

constexpr std::int64_t kKeptSeconds = std::int64_t{30} * 24 * 3600;
constexpr std::size_t kParallelReads = 16;

// Where the forgotten snapshots of a repository are kept.
Result<std::string> forgotten_folder(const Repository& repository) {
  ASSIGN_OR_RETURN(const std::string state, state_folder());
  return join_path(join_path(state, "forgotten"), repository.config().id.hex());
}

Result<std::vector<ForgottenSnapshot>> read_sealed(const std::vector<SnapshotId>& ids,
                                                   Repository& repository, const Session& session) {
  Guarded<std::vector<ForgottenSnapshot>> read;
  const auto read_one = [&](std::size_t i) -> Status {
    RETURN_IF_ERROR(session.go_on());
    Result<Bytes> sealed =
        repository.load_sealed({FileType::kSnapshot, ids[i].hex()}, session.patience());
    if (!sealed && sealed.error().kind() == ErrorKind::kNotFound) return {};  // gone already
    if (!sealed) return std::move(sealed).error();
    read.lock()->push_back({ids[i], std::move(*sealed)});
    return {};
  };
  RETURN_IF_ERROR(parallel_for(ids.size(), kParallelReads, read_one));
  return std::move(*read.lock());
}

Status keep(const std::vector<SnapshotId>& ids, Repository& repository, const Session& session) {
  ASSIGN_OR_RETURN(const std::string folder, forgotten_folder(repository));
  const Timestamp now = wall_clock_now();
  ForgottenRun run{forgotten_run_name(now), {}};
  ASSIGN_OR_RETURN(run.snapshots, read_sealed(ids, repository, session));
  RETURN_IF_ERROR(write_forgotten_run(folder, run));
  const Result<std::size_t> dropped =
      drop_forgotten_before(folder, {now.seconds - kKeptSeconds, 0});
  if (!dropped) {
    session.output().note("old copies of forgotten snapshots stay: " + dropped.error().message());
  }
  return {};
}

// The runs that are kept, the newest first. A damaged one is named and passed by.
Result<std::vector<ForgottenRun>> kept_runs(const std::string& folder, const Session& session) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, list_forgotten_runs(folder));
  std::vector<ForgottenRun> runs;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    Result<ForgottenRun> run = read_forgotten_run(folder, *name);
    if (run) {
      runs.push_back(std::move(*run));
    } else {
      session.output().warn("Ignoring " + run.error().message());
    }
  }
  return runs;
}

// The ids that the words name among all runs; those of the last run without words.
Result<std::vector<SnapshotId>> chosen(const std::vector<std::string>& words,
                                       const std::vector<ForgottenRun>& runs) {
  std::vector<SnapshotId> ids;
  if (words.empty()) {
    for (const ForgottenSnapshot& one : runs.front().snapshots) ids.push_back(one.id);
    return ids;
  }
  std::vector<std::string> known;
  for (const ForgottenRun& run : runs) {
    for (const ForgottenSnapshot& one : run.snapshots) known.push_back(one.id.hex());
  }
  std::ranges::sort(known);
  const auto twice = std::ranges::unique(known);
  known.erase(twice.begin(), twice.end());
  for (const std::string& word : words) {
    ASSIGN_OR_RETURN(const std::string name, find_by_prefix(known, word));
    if (const auto id = SnapshotId::parse(name)) ids.push_back(*id);
  }
  return ids;
}

const ForgottenSnapshot* find_kept(const std::vector<ForgottenRun>& runs, const SnapshotId& id) {
  for (const ForgottenRun& run : runs) {
    const auto found = std::ranges::find(run.snapshots, id, &ForgottenSnapshot::id);
    if (found != run.snapshots.end()) return &*found;
  }
  return nullptr;
}

// Looks whether the index names all that snapshots need. A tree is looked at once.
class DataCheck {
 public:
  DataCheck(Repository& repository, Session& session)
      : repository_(repository), trees_(repository, session.trees_ahead()) {}

  // kNotFound: data are missing; the message says of which file.
  Status expect_all(const BlobId& root) {
    Status walked = walk(root);
    if (!walked) seen_.clear();  // trees whose folders were not looked at are among them
    return walked;
  }

 private:
  Status walk(const BlobId& root) {
    if (!seen_.insert(root).second) return {};
    const auto is_new = [this](const Node& node) {
      return node.subtree && !seen_.contains(*node.subtree);
    };
    return walk_tree(
        trees_, root,
        {.node = [&](const BlobId&, const std::string& path, const Node& node) -> Result<Descend> {
           RETURN_IF_ERROR(expect_content(path, node));
           if (!is_new(node)) return Descend::kNo;
           seen_.insert(*node.subtree);
           return Descend::kYes;
         },
         .expects = [&](const std::string&, const Node& folder) { return is_new(folder); }});
  }

  Status expect_content(const std::string& path, const Node& node) {
    for (const BlobId& chunk : node.content) {
      if (!repository_.find_blob(BlobType::kData, chunk)) {
        return Error(ErrorKind::kNotFound, "data of " + path + " were pruned");
      }
    }
    return {};
  }

  Repository& repository_;
  TreesAhead trees_;
  std::unordered_set<BlobId> seen_;
};

// What becomes of one snapshot.
enum class PutBack { kDone, kThereAlready };

Result<PutBack> put_back(const ForgottenSnapshot& kept, bool dry_run, Repository& repository,
                         DataCheck& data, const Session& session) {
  const FileName file{FileType::kSnapshot, kept.id.hex()};
  const Result<std::uint64_t> size = repository.storage().size(file, session.patience());
  if (size) return PutBack::kThereAlready;
  if (size.error().kind() != ErrorKind::kNotFound) return size.error();
  ASSIGN_OR_RETURN(const Snapshot snapshot,
                   repository.open_snapshot(kept.id, Bytes::copy_of(kept.sealed)));
  RETURN_IF_ERROR(data.expect_all(snapshot.tree));
  if (!dry_run) {
    RETURN_IF_ERROR(repository.storage().write(file, kept.sealed, session.patience()));
  }
  return PutBack::kDone;
}

void say(const SnapshotId& id, PutBack outcome, bool dry_run, const Output& output) {
  if (outcome == PutBack::kThereAlready) {
    output.say(fmt::format("snapshot {} is in the repository already", id.short_hex()));
    return;
  }
  output.say(
      fmt::format("{} snapshot {}", dry_run ? "would put back" : "put back", id.short_hex()));
  JsonWriter json;
  json.begin_object().key("message_type").text(dry_run ? "would_put_back" : "put_back");
  json.key("snapshot_id").text(id.hex()).end_object();
  output.json(json.json());
}

// Forgets the copies of what is in the repository again.
void drop_copies(const std::string& folder, std::vector<ForgottenRun>& runs,
                 const std::vector<SnapshotId>& ids, const Output& output) {
  for (ForgottenRun& run : runs) {
    const std::size_t before = run.snapshots.size();
    std::erase_if(run.snapshots, [&](const ForgottenSnapshot& one) {
      return std::ranges::find(ids, one.id) != ids.end();
    });
    if (run.snapshots.size() == before) continue;
    if (const Status written = write_forgotten_run(folder, run); !written) {
      output.warn("the copy of what was put back stays: " + written.error().message());
    }
  }
}

}  // namespace

void keep_for_undo(const std::vector<SnapshotId>& ids, Repository& repository,
                   const Session& session) {
  const Status kept = keep(ids, repository, session);
  if (kept || kept.error().kind() == ErrorKind::kCancelled) return;
  session.output().warn("restree forget --undo will not be able to put these snapshots back: " +
                        kept.error().message());
}

Result<ExitCode> undo_forget(const std::vector<std::string>& words, bool dry_run,
                             Session& session) {
  ASSIGN_OR_RETURN(Repository* const repository,
                   session.open_with_index(dry_run ? Locking::kShared : Locking::kSharedToWrite));
  ASSIGN_OR_RETURN(const std::string folder, forgotten_folder(*repository));
  ASSIGN_OR_RETURN(std::vector<ForgottenRun> runs, kept_runs(folder, session));
  if (runs.empty()) {
    return Error(ErrorKind::kNotFound,
                 "there is nothing to put back: " + folder + " keeps no snapshots")
        .hinting(
            "This machine and user keep only what they have forgotten themselves, for 30 days.");
  }
  ASSIGN_OR_RETURN(const std::vector<SnapshotId> ids, chosen(words, runs));
  DataCheck data(*repository, session);
  std::vector<SnapshotId> done;
  for (const SnapshotId& id : ids) {
    const ForgottenSnapshot* const kept = find_kept(runs, id);
    if (kept == nullptr) continue;
    RETURN_IF_ERROR(session.go_on());
    const Result<PutBack> outcome = put_back(*kept, dry_run, *repository, data, session);
    if (outcome) {
      say(id, *outcome, dry_run, session.output());
      done.push_back(id);
      continue;
    }
    session.output().warn(
        fmt::format("snapshot {} cannot be put back: {}", id.hex(), outcome.error().message()));
    if (outcome.error().kind() == ErrorKind::kLocked) return outcome.error();
  }
  if (!dry_run) drop_copies(folder, runs, done, session.output());
  if (done.size() == ids.size()) return ExitCode::kSuccess;
  return session.output().exit_error("failed to put back one or more snapshots",
                                     ExitCode::kFailure);
}

}  // namespace restree
