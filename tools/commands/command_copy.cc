// restree copy
#include <fmt/core.h>

#include <memory>
#include <string>
#include <vector>

#include "repo/copier/copier.h"
#include "repo/snapshots/snapshot_selection.h"
#include "tools/cli/option_words.h"
#include "tools/commands/backup_leftovers.h"
#include "tools/commands/commands.h"
#include "tools/commands/copy_report.h"
#include "tools/commands/snapshot_options.h"
#include "tools/commands/source_options.h"
#include "tools/commands/writer_options.h"

namespace restree {
namespace {

struct CopyCommandOptions {
  std::vector<std::string> snapshots;
  SnapshotOptions filter;
  SourceOptions source;
};

// With restic's former options, the second repository was the destination.
Result<const RepositoryAccess*> source_of(const SourceOptions& options) {
  ASSIGN_OR_RETURN(const RepositoryAccess* const named, find_source(options));
  if (named != &options.from2) return &options.from;
  return Error(ErrorKind::kUnsupported,
               "--repo2, RESTIC_REPOSITORY2 and the like do not name a source")
      .hinting(
          "Name the source with --from-repo or RESTIC_FROM_REPOSITORY, and the destination with "
          "-r.");
}

// Before the first byte is copied; empty: both repositories cut files alike.
std::string warning_about(const Config& source, const Config& destination) {
  if (source.chunker_polynomial == destination.chunker_polynomial) return {};
  return "the repositories cut files into different chunks: what is copied shares no data with "
         "what "
         "is backed up to the destination itself, and takes its space twice. A new destination "
         "made by "
         "`restree init --copy-chunker-params --from-repo SOURCE` cuts them as the source does.";
}

// As restic, only snapshots that the filter chooses are looked at in the destination.
Result<std::vector<Snapshot>> snapshots_of(Repository& repository,
                                           const std::vector<std::string>& words,
                                           const CopyCommandOptions& options, Session& session) {
  return select_snapshots(repository, words, options.filter.filter(), session.patience(),
                          say_ignored(session));
}

Error after_interruption(Error error) {
  return std::move(error).hinting("What is copied and indexed already is not copied again.");
}

Result<std::size_t> copy(const CopyCommandOptions& options, Repository& source, Session& session,
                         Repository& destination) {
  ASSIGN_OR_RETURN(const std::vector<Snapshot> there,
                   snapshots_of(destination, {}, options, session));
  ASSIGN_OR_RETURN(std::vector<Snapshot> wanted,
                   snapshots_of(source, options.snapshots, options, session));
  RETURN_IF_ERROR(source.refresh_index(session.patience()));
  ASSIGN_OR_RETURN(std::vector<PackId> lost_packs, look_at_leftovers(session, destination));
  const TemporaryFilesRemoval removal(session, destination);
  const CopyOptions how{.writer = writer_options(session, std::move(lost_packs)),
                        .patience = session.options().patience,
                        .stop = session.stop()};
  CopyReport report(session.output(), warning_about(source.config(), destination.config()));
  Copier copier(source, destination, how, report);
  return copier.copy(std::move(wanted), there);
}

Result<ExitCode> run_copy(const CopyCommandOptions& options, Session& session) {
  ASSIGN_OR_RETURN(const RepositoryAccess* const access, source_of(options.source));
  ASSIGN_OR_RETURN(const OtherRepository source, session.open_other(*access, Locking::kShared));
  ASSIGN_OR_RETURN(Repository* const destination, session.open_with_index(Locking::kSharedToWrite));
  Result<std::size_t> left_out = copy(options, *source.repository, session, *destination);
  if (!left_out && left_out.error().kind() == ErrorKind::kCancelled) {
    return after_interruption(std::move(left_out).error());
  }
  RETURN_IF_ERROR(left_out);
  if (*left_out == 0) return ExitCode::kSuccess;
  return Error(ErrorKind::kCorrupt,
               fmt::format("{} of the snapshots could not be copied", *left_out))
      .hinting(
          "The source is damaged: restree check says what is missing, and with --read-data "
          "also what cannot be read.");
}

}  // namespace

Run declare_copy(CommandSyntax& app) {
  const auto options = std::make_shared<CopyCommandOptions>();
  add_arguments(app, "snapshot", options->snapshots,
                "The snapshots to copy (default: all that --host, --tag and --path choose)");
  add_source_options(app, options->source);
  add_snapshot_options(app, options->filter);
  return [options](Session& session) { return run_copy(*options, session); };
}

}  // namespace restree
