#include "tools/commands/rewriting.h"

#include <chrono>
#include <optional>
#include <utility>

#include "repo/snapshots/snapshot_selection.h"
#include "tools/commands/backup_leftovers.h"
#include "tools/commands/rewrite_report.h"
#include "tools/commands/writer_options.h"

namespace restree {

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
                   select_snapshots(*repository, request.snapshots, request.filter.filter(),
                                    session.patience(), say_ignored(session)));
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
