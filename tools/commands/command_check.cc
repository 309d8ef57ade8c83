// restree check
#include <memory>
#include <string>

#include "repo/base/restic_words.h"
#include "tools/cli/option_words.h"
#include "tools/commands/checking.h"
#include "tools/commands/commands.h"

namespace restree {
namespace {

struct CheckCommandOptions {
  CheckWish wish;
  bool read_data = false;
  std::string subset;
  bool with_cache = false;
  bool check_unused = false;
  std::string program = {};  // what the user calls this one
};

// `findings` is filled in even if this returns an error.
Status open_and_check(const CheckCommandOptions& options, Session& session,
                      CheckFindings& findings) {
  CheckReport report(session.output(), options.program);
  if (!session.options().no_lock) report.say("create exclusive lock for repository");
  ASSIGN_OR_RETURN(Repository* const repository,
                   session.open(Locking::kExclusive, options.with_cache ? Reading::kThroughCache
                                                                        : Reading::kFromStorage));
  BulkOptions bulk;
  bulk.patience = session.options().patience;
  bulk.stop = session.stop();
  Checker checker(*repository, report, bulk);
  Status status = run_check(options.wish, session, *repository, checker, report);
  findings = checker.findings();
  return status;
}

Result<ExitCode> run(CheckCommandOptions& options, Session& session) {
  if (options.read_data && !options.subset.empty()) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kReadDataTwice.text));
  }
  if (options.read_data) options.wish.subset = PackSubset();
  if (!options.subset.empty()) {
    ASSIGN_OR_RETURN(options.wish.subset, parse_pack_subset(options.subset));
  }
  CheckFindings findings;
  const Status status = open_and_check(options, session, findings);
  if (session.output().is_json()) {
    // Printed even if the repository could not be checked at all.
    if (!status && findings.errors == 0) findings.errors = 1;
    print_check_summary(findings, session.output());
  }
  if (!status) return status.error();
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_check(CommandSyntax& app) {
  auto options = std::make_shared<CheckCommandOptions>();
  add_arguments(app, "snapshot", options->wish.snapshots,
                "Check only these snapshots (default: the whole repository)");
  add_flag(app, "--read-data", options->read_data, "Read and compare every byte of every pack");
  add_text(app, "--read-data-subset", options->subset,
           "Read a part of the packs: n/t, a percentage, a size, or those not read for longest by "
           "oldest:5G or oldest:1h");
  add_flag(
      app, "--with-cache", options->with_cache,
      "Take trees, indexes and snapshots from the cache where it has them; packs are read from "
      "the repository always");
  add_deprecated_flag(app, "--check-unused", options->check_unused,
                      "`--check-unused` is deprecated and will be ignored");
  add_snapshot_options(app, options->wish.filter);
  options->program = app.program_name();
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace restree
