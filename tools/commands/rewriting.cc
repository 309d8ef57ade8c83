#include "tools/commands/rewriting.h"

#include <fmt/core.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "repo/snapshots/snapshot_selection.h"
#include "tools/commands/backup_leftovers.h"
#include "tools/commands/rewrite_report.h"
#include "tools/commands/writer_options.h"

namespace restree {
namespace {

// The files of snapshots that cannot be read, to be removed.
class Unreadable {
 public:
  Unreadable(Session& session, Repository& repository)
      : session_(session), repository_(repository) {}

  // One that was named, or nothing, if the error is about something else.
  Status note(const std::string& word, const Error& why) {
    // Another program may read a newer format.
    const bool is_a_file = why.kind() == ErrorKind::kCorrupt && word != kLatestSnapshot;
    if (!is_a_file) {
      say_ignored(session_)(word, why);
      return {};
    }
    ASSIGN_OR_RETURN(const std::string name, find_file_by_prefix(repository_, FileType::kSnapshot,
                                                                 word, session_.patience()));
    if (const auto id = SnapshotId::parse(name)) ids_.push_back(*id);
    session_.output().warn(why.message());
    return {};
  }

  Status remove(bool dry_run) {
    if (dry_run) {
      for (const SnapshotId& id : ids_) say("would remove", id);
      return {};
    }
    for (const SnapshotId& id : ids_) {
      Status removed =
          repository_.storage().remove({FileType::kSnapshot, id.hex()}, session_.patience());
      if (!removed && removed.error().kind() != ErrorKind::kNotFound) {
        return std::move(removed).error().with("remove the snapshot file " + id.hex());
      }
      say("removed", id);
    }
    return {};
  }

 private:
  void say(const char* what, const SnapshotId& id) const {
    session_.output().say_even_as_json(
        fmt::format("{} unreadable snapshot {}", what, id.short_hex()));
  }

  Session& session_;
  Repository& repository_;
  std::vector<SnapshotId> ids_;
};

// The snapshots to rewrite. Those that were named and cannot be read are removed, if that is wanted.
Result<std::vector<Snapshot>> select_or_remove(Session& session, const RewriteRequest& request,
                                               Repository& repository, bool dry_run) {
  Unreadable unreadable(session, repository);
  Status noted;
  OnIgnored on_ignored = say_ignored(session);
  if (request.removes_unreadable && !request.snapshots.empty()) {
    on_ignored = [&](const std::string& word, const Error& why) {
      if (noted) noted = unreadable.note(word, why);
    };
  }
  ASSIGN_OR_RETURN(std::vector<Snapshot> snapshots,
                   select_snapshots(repository, request.snapshots, request.filter.filter(),
                                    session.patience(), on_ignored));
  RETURN_IF_ERROR(noted);
  RETURN_IF_ERROR(unreadable.remove(dry_run));
  return snapshots;
}

}  // namespace

Result<ExitCode> rewrite_snapshots(Session& session, const RewriteRequest& request,
                                   const RulesFor& rules_for, RewriteOptions how) {
  const Locking locking = how.dry_run ? Locking::kNone : request.locking;
  ASSIGN_OR_RETURN(Repository* const repository, session.open_with_index(locking));
  std::vector<PackId> lost_packs;
  std::optional<TemporaryFilesRemoval> removal;
  if (!how.dry_run) {
    ASSIGN_OR_RETURN(lost_packs, look_at_leftovers(session, *repository));
    removal.emplace(session, *repository);
  }
  ASSIGN_OR_RETURN(const std::vector<Snapshot> snapshots,
                   select_or_remove(session, request, *repository, how.dry_run));
  how.writer = writer_options(session, std::move(lost_packs));
  how.patience = std::chrono::ceil<std::chrono::seconds>(session.options().patience);
  how.stop = session.stop();
  RewriteReport report(session.output(), how);
  SnapshotRewriter rewriter(*repository, rules_for(*repository), how, report);
  ASSIGN_OR_RETURN(const std::size_t changed, rewriter.rewrite(snapshots));
  report.summarize(changed);
  return ExitCode::kSuccess;
}

}  // namespace restree
