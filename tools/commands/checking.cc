#include "tools/commands/checking.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "program/command_line/go_values.h"
#include "program/state_folder.h"
#include "repo/base/path.h"
#include "repo/base/restic_words.h"
#include "repo/checker/hit_trees.h"
#include "repo/identity.h"
#include "repo/snapshots/snapshot_selection.h"
#include "tools/commands/damage_report.h"
#include "tools/output/ticker.h"

namespace restree {
namespace {

// Of this length a point in time can still be reckoned with.
constexpr std::chrono::hours kLongestReading{24 * 3650};

Error contains_errors() {
  return {ErrorKind::kCorrupt, std::string(restic_words::kContainsErrors.text)};
}

Status load_index(Checker& checker, CheckReport& report) {
  report.say("load indexes");
  RETURN_IF_ERROR(checker.load_index());
  const CheckFindings& findings = checker.findings();
  if (findings.duplicate_packs) {
    report.hint(fmt::format(
        "Duplicate packs are non-critical, you can run `{} repair index' to correct this.",
        report.program()));
  }
  if (findings.mixed_packs) {
    report.hint(fmt::format(
        "Mixed packs with tree and data blobs are non-critical, you can run `{} prune` to "
        "correct this.",
        report.program()));
  }
  if (!findings.index_damaged) return {};
  report.error(
      fmt::format("\n{} No backup is lost by that. Make a new index from the packs with:\n\n"
                  "{} repair index\n",
                  restic_words::kIndexDamaged.text, report.program()));
  return contains_errors();
}

Status check_packs(Checker& checker, CheckReport& report) {
  report.say("check all packs");
  RETURN_IF_ERROR(checker.check_packs());
  const CheckFindings& findings = checker.findings();
  if (findings.unindexed_packs > 0 && !findings.damaged) {
    report.say(
        fmt::format("{} additional files were found in the repo, which likely contain "
                    "duplicate data.\nThis is non-critical, you can run `{} prune` "
                    "to correct this.",
                    findings.unindexed_packs, report.program()));
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

std::vector<BlobId> roots_of(const std::vector<Snapshot>& snapshots) {
  std::vector<BlobId> roots;
  roots.reserve(snapshots.size());
  for (const Snapshot& snapshot : snapshots) roots.push_back(snapshot.tree);
  return roots;
}

// `found`: the snapshots that were checked.
Status check_snapshots(const CheckWish& wish, Session& session, Repository& repository,
                       Checker& checker, CheckReport& report, std::vector<Snapshot>& found) {
  report.say("check snapshots, trees and blobs");
  const SnapshotFilter filter = wish.filter.filter();
  ASSIGN_OR_RETURN(JudgedSnapshots judged,
                   select_to_judge(session, repository, wish.snapshots, wish.filter));
  RETURN_IF_ERROR(report_missed(judged.missed, session, repository, checker));
  if (judged.found.empty() && judged.missed.empty() && wish.filter.is_given() && !filter.empty()) {
    checker.note_unchecked(
        "filters", Error(ErrorKind::kInvalid,
                         "no snapshot matched given filter (" + filter.description() + ")"));
  }
  found = std::move(judged.found);
  return checker.check_trees(roots_of(found), !wish.snapshots.empty() || !filter.empty());
}

// Where this machine remembers when the packs of a repository were read.
Result<std::string> read_times_path(const Repository& repository) {
  ASSIGN_OR_RETURN(const std::string state, state_folder());
  return join_path(join_path(state, "packs-read"), repository.config().id.hex());
}

Status recall_readings(const Result<std::string>& path, Checker& checker) {
  RETURN_IF_ERROR(path);
  ASSIGN_OR_RETURN(const ReadTimes times, load_read_times(*path));
  checker.use_read_times(times);
  return {};
}

std::string text_before_reading(const PackSubset& subset, std::size_t chosen, std::size_t all) {
  if (subset.kind == PackSubset::Kind::kAll) return "read all data";
  if (subset.kind == PackSubset::Kind::kOldestTime) {
    return "read packs, first those that were not read for longest";
  }
  return fmt::format("read {} of {} packs", chosen, all);
}

Status read_chosen_packs(const PackSubset& subset, Session& session, Checker& checker,
                         CheckReport& report) {
  const std::vector<std::uint32_t> numbers = checker.choose(subset);
  report.say(text_before_reading(subset, numbers.size(), checker.pack_count()));
  const bool is_timed = subset.kind == PackSubset::Kind::kOldestTime;
  const Deadline end = is_timed ? Deadline::after(subset.time) : Deadline::never();
  const auto interval = session.output().is_json() ? std::chrono::nanoseconds(0)
                                                   : session.output().progress_interval();
  const Ticker ticker(interval, [&] {
    if (session.output().is_json()) return;
    session.io().status(fmt::format("{} of {} packs read", checker.packs_read(), numbers.size()));
  });
  Status status = checker.read_packs(numbers, end);
  session.io().status("");
  if (is_timed) {
    report.say(fmt::format("{} of {} packs were read", checker.packs_read(), numbers.size()));
  }
  return status;
}

Status read_packs(const PackSubset& subset, Session& session, const Repository& repository,
                  Checker& checker, CheckReport& report) {
  const Result<std::string> path = read_times_path(repository);
  if (const Status recalled = recall_readings(path, checker); !recalled) {
    session.output().warn("when packs were read before is not known: " +
                          recalled.error().message());
  }
  const Status status = read_chosen_packs(subset, session, checker, report);
  // Also what an interrupted check has read.
  const Status saved = path ? save_read_times(*path, checker.read_times()) : Status();
  if (!saved) {
    session.output().warn("that packs were read will not be remembered: " +
                          saved.error().message());
  }
  const std::string ages = ages_text(checker.read_ages(), wall_clock_now().seconds);
  subset.is_by_age() ? report.say(ages) : report.detail(ages);
  return status;
}

// What the damage means. Nothing depends on it, so all errors but kCancelled are part of the text.
Result<std::string> damage_meaning(const std::vector<Snapshot>& snapshots, Repository& repository,
                                   const Checker& checker) {
  const Damage& damage = checker.damage();
  const std::string misplaced = misplaced_text(checker.findings().misplaced_blobs);
  const std::string text = damage_text(damage);
  if (text.empty()) return misplaced;
  if (damage.lost_count() == 0 && damage.unknown().empty()) {
    return misplaced + "\n" + text + "\n";
  }
  HitTrees trees(repository, damage, checker.bulk());
  const Status walked = trees.walk(roots_of(snapshots));
  auto hits = walked ? find_hits(snapshots, trees) : walked.error();
  if (!hits && hits.error().kind() == ErrorKind::kCancelled) return hits.error();
  if (hits) return misplaced + "\n" + text + "\n" + hits_text(*hits, !damage.unknown().empty());
  return fmt::format("\n{}\n\nWhich files need them could not be found out: {}\n", text,
                     hits.error().message());
}

// "3 days"
std::string age_text(std::int64_t seconds) {
  struct Unit {
    std::int64_t seconds;
    std::string_view name;
  };
  constexpr std::array kUnits{Unit{24 * 3600, "days"}, Unit{3600, "hours"}, Unit{60, "minutes"}};
  for (const Unit& unit : kUnits) {
    if (seconds >= 2 * unit.seconds) return fmt::format("{} {}", seconds / unit.seconds, unit.name);
  }
  return "less than two minutes";
}

}  // namespace

Result<PackSubset> parse_pack_subset(const std::string& text) {
  if (text.starts_with(PackSubset::kOldest)) {
    const auto time = parse_go_duration(text.substr(PackSubset::kOldest.size()));
    if (time && time->count() > 0) {
      return PackSubset{.kind = PackSubset::Kind::kOldestTime,
                        .time = std::min<std::chrono::nanoseconds>(*time, kLongestReading)};
    }
  }
  return PackSubset::parse(text);
}

std::string ages_text(const ReadAges& ages, std::int64_t now) {
  const std::string oldest = ages.oldest ? age_text(now - *ages.oldest) : "";
  if (ages.never_read == 0) {
    return ages.packs == 0 ? "there are no packs"
                           : "all packs were read on this machine, the oldest " + oldest + " ago";
  }
  std::string text =
      fmt::format("{} of {} packs were never read on this machine", ages.never_read, ages.packs);
  if (ages.oldest) text += ", the oldest of the others " + oldest + " ago";
  return text;
}

Status run_check(const CheckWish& wish, Session& session, Repository& repository, Checker& checker,
                 CheckReport& report) {
  RETURN_IF_ERROR(load_index(checker, report));
  RETURN_IF_ERROR(check_packs(checker, report));
  std::vector<Snapshot> snapshots;
  RETURN_IF_ERROR(check_snapshots(wish, session, repository, checker, report, snapshots));
  if (wish.subset) RETURN_IF_ERROR(read_packs(*wish.subset, session, repository, checker, report));
  RETURN_IF_ERROR(session.go_on());
  if (checker.findings().damaged) {
    ASSIGN_OR_RETURN(const std::string meaning, damage_meaning(snapshots, repository, checker));
    advise(checker, meaning, report);
    return contains_errors();
  }
  if (checker.findings().unchecked > 0) {
    return Error(ErrorKind::kInvalid, "not all of what was asked for could be checked")
        .hinting("restree snapshots lists what can be named.");
  }
  report.say(std::string(restic_words::kNoErrors.text));
  return {};
}

}  // namespace restree
