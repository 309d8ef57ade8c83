// restree audit
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "program/visit_record.h"
#include "repo/base/guarded.h"
#include "repo/identity.h"
#include "repo/journal/audited_pairs.h"
#include "repo/journal/comparison.h"
#include "repo/retention/judged_groups.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/trees/silent_changes.h"
#include "tools/cli/option_words.h"
#include "tools/commands/audit_report.h"
#include "tools/commands/commands.h"
#include "tools/commands/retention_options.h"
#include "tools/commands/snapshot_options.h"

namespace restree {
namespace {

struct AuditOptions {
  bool accept = false;
  RetentionOptions retention;
  std::string group_by = "host,paths";
};

Snapshot as_snapshot(const SeenSnapshot& seen) {
  Snapshot snapshot;
  snapshot.id = {seen.id.bytes};
  snapshot.time = {seen.time, 0};
  snapshot.hostname = seen.host;
  snapshot.tags = seen.tags;
  snapshot.paths = seen.paths;
  return snapshot;
}

// Which snapshots a forget with these options removes.
WouldForget policy_of(const AuditOptions& options, GroupBy by) {
  const RetentionPolicy policy = options.retention.policy();
  if (policy.empty()) return {};
  return [policy, by](const std::vector<SeenSnapshot>& seen, std::int64_t now) {
    std::vector<Snapshot> snapshots;
    snapshots.reserve(seen.size());
    for (const SeenSnapshot& one : seen) snapshots.push_back(as_snapshot(one));
    std::unordered_set<JournalId> removed;
    for (const JudgedGroup& group :
         judge_groups(std::move(snapshots), by, policy, {now, 0}, TimeZone::local())) {
      for (const JudgedSnapshot& one : group.judged) {
        if (!one.is_kept()) removed.insert({one.snapshot->id.bytes});
      }
    }
    return removed;
  };
}

// What the index names and the repository lacks, and the snapshots that no index knows.
Result<SeenMissing> find_missing(Repository& repository, const AllSnapshots& all, Deadline by) {
  SeenMissing missing;
  ASSIGN_OR_RETURN(const std::vector<ListedFile> packs, repository.list_files(FileType::kPack, by));
  std::unordered_set<PackId> there;
  for (const ListedFile& file : packs) {
    if (const auto id = PackId::parse(file.name)) there.insert(*id);
  }
  for (const PackId& pack : repository.indexed_packs()) {
    if (!there.contains(pack)) ++missing.packs;
  }
  for (const Snapshot& snapshot : all.readable) {
    if (!repository.find_blob(BlobType::kTree, snapshot.tree)) {
      missing.snapshots.push_back({snapshot.id.bytes});
    }
  }
  std::ranges::sort(missing.snapshots);
  return missing;
}

// Of the snapshots that have come since the last audit.
Result<std::vector<SeenSilentChanges>> find_silent_changes(Repository& repository,
                                                           const AllSnapshots& all,
                                                           Session& session) {
  ASSIGN_OR_RETURN(const JournalFile journal, session.visit().open_journal());
  std::vector<SeenSilentChanges> found;
  for (const AuditedPair& pair :
       pairs_to_audit(all.readable, known_at_last_audit(journal.entries()))) {
    ASSIGN_OR_RETURN(const std::uint64_t files,
                     count_silent_changes(repository, pair.before->tree, pair.after->tree,
                                          session.trees_ahead()));
    if (files > 0) found.push_back({{pair.after->id.bytes}, files});
  }
  return found;
}

// The index files that cannot be read.
class DamagedIndexes final : public IndexWatch {
 public:
  void pack(const std::string&, const PackId&, std::span<const IndexedBlob>) override {}
  void damaged(const std::string& file, const Error&) override {
    if (const auto id = JournalId::parse(file)) files_.lock()->push_back(*id);
  }
  std::vector<JournalId> files() const { return *files_.lock(); }

 private:
  Guarded<std::vector<JournalId>> files_;
};

// Looks at all that is compared, which the visit notes.
Status look(Session& session) {
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kShared));
  DamagedIndexes damaged;
  RETURN_IF_ERROR(repository->refresh_index(session.patience(), &damaged));
  ASSIGN_OR_RETURN(const AllSnapshots all, load_all_snapshots(*repository, session.patience()));
  if (repository->is_offline()) {
    return Error(ErrorKind::kUnavailable,
                 repository->storage().description() + " is out of reach: nothing can be compared");
  }
  ASSIGN_OR_RETURN(SeenMissing missing, find_missing(*repository, all, session.patience()));
  missing.unreadable = damaged.files();
  for (const UnreadableSnapshot& one : all.unreadable) {
    missing.unreadable.push_back({one.id.bytes});
  }
  std::ranges::sort(missing.unreadable);
  ASSIGN_OR_RETURN(missing.silent, find_silent_changes(*repository, all, session));
  const IndexFigures figures = repository->index_figures();
  session.visit().note_index({.packs = figures.packs, .blobs = figures.blobs});
  session.visit().note_missing(std::move(missing));
  return {};
}

std::int64_t first_time(const JournalEntry& entry) {
  std::int64_t first = entry.time;
  for (const FileTimes& times : entry.times) first = std::min(first, times.first_seen);
  return first;
}

Audit audit_of(const JournalFile& journal, const RepositoryId& repository,
               const WouldForget& would_forget) {
  Audit audit{.repository = repository, .bytes_left_out = journal.bytes_left_out()};
  bool is_any = false;
  for (const JournalEntry& entry : journal.entries()) {
    if (entry.kind == EntryKind::kAccepted) audit.accepted = entry.time;
    if (entry.kind != EntryKind::kVisit && entry.kind != EntryKind::kFrom) continue;
    if (!std::exchange(is_any, true)) audit.first_visit = first_time(entry);
    // What was condensed were several.
    audit.visits += entry.kind == EntryKind::kFrom ? 2 : 1;
  }
  audit.findings = findings_of(journal.entries(), would_forget);
  return audit;
}

Result<bool> is_first_visit(Session& session) {
  ASSIGN_OR_RETURN(const JournalFile journal, session.visit().open_journal());
  return journal.entries().empty();
}

Result<ExitCode> run(const AuditOptions& options, Session& session) {
  RETURN_IF_ERROR(options.retention.policy().check());
  ASSIGN_OR_RETURN(const GroupBy by, GroupBy::parse_with_app(options.group_by));
  RETURN_IF_ERROR(look(session));
  ASSIGN_OR_RETURN(const bool is_first, is_first_visit(session));
  RETURN_IF_ERROR(session.visit().keep("audit"));
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kShared));
  ASSIGN_OR_RETURN(JournalFile journal, session.visit().open_journal());
  Audit audit = audit_of(journal, repository->config().id, policy_of(options, by));
  audit.is_first_visit = is_first;
  print_audit(audit, session.output());
  if (audit.count() == 0) return ExitCode::kSuccess;
  if (!options.accept) return ExitCode::kIncomplete;
  RETURN_IF_ERROR(journal.append({.kind = EntryKind::kAccepted, .time = wall_clock_now().seconds}));
  session.output().say("accepted: the next visits are compared with this one");
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_audit(CommandSyntax& app) {
  const auto options = std::make_shared<AuditOptions>();
  add_flag(app, "--accept", options->accept,
           "What was found is as it should be: it is not told again");
  add_retention_options(app, options->retention);
  add_group_by_option(app, options->group_by,
                      "How forget is run: host, paths, tags, app, separated by commas",
                      Grouping::kByAppToo);
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace restree
