// restree check
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "repo/base/restic_words.h"
#include "repo/checker/checker.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/text/json_writer.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/snapshot_options.h"
#include "tools/output/ticker.h"

namespace restree {
namespace {

struct CheckCommandOptions {
  std::vector<std::string> snapshots;
  SnapshotOptions filter;
  bool read_data = false;
  std::string subset;
  bool with_cache = false;
  bool check_unused = false;
  // What the user calls this program. Messages that restic ends with a command of its own name it so.
  std::string program;
};

class Report final : public CheckListener {
 public:
  explicit Report(const Output& output) : output_(output) {}

  void error(const std::string& text) override {
    if (!output_.is_json()) return output_.warn(text);
    JsonWriter json;
    json.begin_object().key("message_type").text("error").key("message").text(text).end_object();
    output_.json_error(json.json());
  }
  void hint(const std::string& text) override { output_.say_even_if_quiet(text); }
  void detail(const std::string& text) override { output_.detail(text); }
  void say(const std::string& text) { output_.say(text); }

 private:
  const Output& output_;
};

void print_summary(const CheckFindings& findings, const Output& output) {
  JsonWriter json;
  json.begin_object().key("message_type").text("summary");
  json.key("num_errors").number(findings.errors).key("broken_packs");
  if (findings.broken_packs.empty()) {
    json.null();
  } else {
    json.begin_array();
    for (const PackId& pack : findings.broken_packs) json.text(pack.hex());
    json.end_array();
  }
  json.key("suggest_repair_index").boolean(findings.suggests_repair_index());
  json.key("suggest_prune").boolean(findings.suggests_prune()).end_object();
  output.json(json.json());
}

template <class Ids>
std::string listed(const Ids& ids) {
  std::string list;
  for (const auto& id : ids) list += (list.empty() ? "" : " ") + id.hex();
  return list;
}

// Prints what the user can do about the findings.
void advise(const CheckFindings& findings, const std::string& program, Report& report) {
  if (!findings.broken_packs.empty()) {
    report.error(fmt::format(
        "\n{} Data that only they hold is lost; all other data can be read. Make a copy of the "
        "repository, then remove the damaged files with:\n",
        restic_words::kPacksDamaged.text));
    // A message of its own, so that programs can find the commands with --json.
    report.error(fmt::format("{0} repair packs {1}\n{0} repair snapshots --forget\n", program,
                             listed(findings.broken_packs)));
    report.error(
        "A backup of the same files afterwards saves the missing data again. Damage comes from "
        "faulty disks, memory, network connections or servers: check these too.");
  }
  if (!findings.broken_snapshots.empty()) {
    report.error(fmt::format(
        "\n{} It contains damaged snapshot files. All other snapshots can be read. Remove the "
        "damaged ones with:\n\n{} repair snapshots --forget {}\n",
        restic_words::kRepositoryDamaged.text, program, listed(findings.broken_snapshots)));
  }
  if (findings.missing_packs > 0) {
    report.error(fmt::format(
        "\n{0} Pack files are missing. If there is another copy of the repository, take them from "
        "there; otherwise data that only they held is lost. Repair the repository with:\n\n"
        "{1} repair index\n{1} repair snapshots --forget\n",
        restic_words::kRepositoryDamaged.text, program));
  } else if (findings.broken_packs.empty() && findings.broken_snapshots.empty()) {
    report.error(
        fmt::format("\n{} Make a copy of it, then follow "
                    "https://restic.readthedocs.io/en/stable/077_troubleshooting.html\n",
                    restic_words::kRepositoryDamaged.text));
  }
}

Error contains_errors() {
  return {ErrorKind::kCorrupt, std::string(restic_words::kContainsErrors.text)};
}

Status load_index(const std::string& program, Checker& checker, Report& report) {
  report.say("load indexes");
  RETURN_IF_ERROR(checker.load_index());
  const CheckFindings& findings = checker.findings();
  if (findings.duplicate_packs) {
    report.hint(fmt::format(
        "Duplicate packs are non-critical, you can run `{} repair index' to correct this.",
        program));
  }
  if (findings.mixed_packs) {
    report.hint(fmt::format(
        "Mixed packs with tree and data blobs are non-critical, you can run `{} prune` to "
        "correct this.",
        program));
  }
  if (!findings.index_damaged) return {};
  report.error(
      fmt::format("\n{} No backup is lost: `{} repair index' makes a new index from the packs.\n",
                  restic_words::kIndexDamaged.text, program));
  return contains_errors();
}

Status check_packs(const std::string& program, Checker& checker, Report& report) {
  report.say("check all packs");
  RETURN_IF_ERROR(checker.check_packs());
  const CheckFindings& findings = checker.findings();
  if (findings.unindexed_packs > 0 && !findings.damaged) {
    report.say(
        fmt::format("{} additional files were found in the repo, which likely contain "
                    "duplicate data.\nThis is non-critical, you can run `{} prune` "
                    "to correct this.",
                    findings.unindexed_packs, program));
  }
  return {};
}

// Reports the damaged snapshot files that `word` names; false if there are none any more.
bool note_damaged(std::string_view word, const AllSnapshots& all, Checker& checker) {
  bool is_any = false;
  for (const UnreadableSnapshot& one : all.unreadable) {
    if (word != kLatestSnapshot && !one.id.hex().starts_with(word)) continue;
    checker.note_broken_snapshot(one.id, one.error);
    is_any = true;
  }
  return is_any;
}

// Reports what select_to_judge() has missed. Whatever was found but could not be read is damage.
Status report_missed(const std::vector<JudgedSnapshots::Missed>& missed, Session& session,
                     Repository& repository, Checker& checker) {
  std::optional<AllSnapshots> all;
  for (const auto& [word, why] : missed) {
    const bool is_damage = why.kind() != ErrorKind::kInvalid;
    if (is_damage && !all) {
      ASSIGN_OR_RETURN(all, load_all_snapshots(repository, session.patience()));
    }
    if (!is_damage || !note_damaged(word, *all, checker)) checker.note_unchecked(word, why);
  }
  return {};
}

Status check_snapshots(const CheckCommandOptions& options, Session& session, Repository& repository,
                       Checker& checker, Report& report) {
  report.say("check snapshots, trees and blobs");
  const SnapshotFilter filter = options.filter.filter();
  ASSIGN_OR_RETURN(const JudgedSnapshots judged,
                   select_to_judge(session, repository, options.snapshots, options.filter));
  RETURN_IF_ERROR(report_missed(judged.missed, session, repository, checker));
  if (judged.found.empty() && judged.missed.empty() && options.filter.is_given()) {
    checker.note_unchecked(
        "filters", Error(ErrorKind::kInvalid,
                         "no snapshot matched given filter (" + filter.description() + ")"));
  }
  std::vector<BlobId> roots;
  roots.reserve(judged.found.size());
  for (const Snapshot& snapshot : judged.found) roots.push_back(snapshot.tree);
  return checker.check_trees(roots, !options.snapshots.empty() || !filter.empty());
}

Status read_packs(const PackSubset& subset, Session& session, Checker& checker, Report& report) {
  const std::vector<std::uint32_t> numbers = checker.choose(subset);
  if (subset.kind == PackSubset::Kind::kAll) {
    report.say("read all data");
  } else {
    report.say(fmt::format("read {} of {} packs", numbers.size(), checker.pack_count()));
  }
  const auto interval = session.output().is_json() ? std::chrono::nanoseconds(0)
                                                   : session.output().progress_interval();
  const Ticker ticker(interval, [&] {
    if (session.output().is_json()) return;
    session.io().status(fmt::format("{} of {} packs read", checker.packs_read(), numbers.size()));
  });
  Status status = checker.read_packs(numbers);
  session.io().status("");
  return status;
}

Status check(const CheckCommandOptions& options, Session& session, Repository& repository,
             Checker& checker, Report& report) {
  RETURN_IF_ERROR(load_index(options.program, checker, report));
  RETURN_IF_ERROR(check_packs(options.program, checker, report));
  RETURN_IF_ERROR(check_snapshots(options, session, repository, checker, report));
  if (options.read_data || !options.subset.empty()) {
    PackSubset subset;
    if (!options.subset.empty()) {
      ASSIGN_OR_RETURN(subset, PackSubset::parse(options.subset));
    }
    RETURN_IF_ERROR(read_packs(subset, session, checker, report));
  }
  RETURN_IF_ERROR(session.go_on());
  if (checker.findings().damaged) {
    advise(checker.findings(), options.program, report);
    return contains_errors();
  }
  if (checker.findings().unchecked > 0) {
    return Error(ErrorKind::kInvalid, "not all of what was asked for could be checked")
        .hinting("restree snapshots lists what can be named.");
  }
  report.say(std::string(restic_words::kNoErrors.text));
  return {};
}

// `findings` is filled in even if this returns an error.
Status open_and_check(const CheckCommandOptions& options, Session& session,
                      CheckFindings& findings) {
  Report report(session.output());
  if (!session.options().no_lock) report.say("create exclusive lock for repository");
  ASSIGN_OR_RETURN(Repository* const repository,
                   session.open(Locking::kExclusive, options.with_cache ? Reading::kThroughCache
                                                                        : Reading::kFromStorage));
  BulkOptions bulk;
  bulk.patience = session.options().patience;
  bulk.stop = session.stop();
  Checker checker(*repository, report, bulk);
  Status status = check(options, session, *repository, checker, report);
  findings = checker.findings();
  return status;
}

Result<ExitCode> run(const CheckCommandOptions& options, Session& session) {
  if (options.read_data && !options.subset.empty()) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kReadDataTwice.text));
  }
  if (!options.subset.empty()) RETURN_IF_ERROR(PackSubset::parse(options.subset));
  CheckFindings findings;
  const Status status = open_and_check(options, session, findings);
  if (session.output().is_json()) {
    // Printed even if the repository could not be checked at all.
    if (!status && findings.errors == 0) findings.errors = 1;
    print_summary(findings, session.output());
  }
  if (!status) return status.error();
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_check(CommandSyntax& app) {
  auto options = std::make_shared<CheckCommandOptions>();
  add_arguments(app, "snapshot", options->snapshots,
                "Check only these snapshots (default: the whole repository)");
  add_flag(app, "--read-data", options->read_data, "Read and compare every byte of every pack");
  add_text(app, "--read-data-subset", options->subset,
           "Read a part of the packs: n/t, a percentage or a size");
  add_flag(
      app, "--with-cache", options->with_cache,
      "Take trees, indexes and snapshots from the cache where it has them; packs are read from "
      "the repository always");
  add_deprecated_flag(app, "--check-unused", options->check_unused,
                      "`--check-unused` is deprecated and will be ignored");
  add_snapshot_options(app, options->filter);
  options->program = app.program_name();
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace restree
