#include "tools/commands/repairing.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "repo/repairer/index_repair.h"
#include "repo/rewriter/snapshot_rewriter.h"
#include "repo/rewriter/tree_rules.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/storage/decorators/overlay_storage.h"
#include "tools/commands/index_repairing.h"
#include "tools/commands/pack_repairing.h"
#include "tools/commands/repair_examination.h"
#include "tools/commands/repair_report.h"
#include "tools/commands/rewrite_report.h"
#include "tools/commands/second_repository.h"
#include "tools/commands/writer_options.h"

namespace restree {
namespace {

// The words that name the second repository, for commands to copy.
std::string second_words(const RepairSource& named) {
  const auto quoted = [](const std::string& word) {
    return word.find_first_of(" '\"$\\`") == std::string::npos ? word : "'" + word + "'";
  };
  const RepositoryAccess& from = named.source.from;
  if (named.second.access.location) return "--second " + quoted(*named.second.access.location);
  if (from.location) return "--from-repo " + quoted(*from.location);
  if (from.repository_file) {
    return "--from-repository-file " + quoted(*from.repository_file);
  }
  return {};
}

class RepairOfAll {
 public:
  // `others`: the session that opens the second repository.
  RepairOfAll(const RepairWish& wish, const std::string& program, Session& session, Session& others)
      : wish_(wish),
        calls_{program, second_words(wish.source)},
        session_(session),
        others_(others),
        // The steps say in text what they do, which has no place between objects.
        steps_output_(session.io(), session.output().is_json(),
                      session.output().is_json() || session.output().is_quiet() ? 0 : 1) {}

  Status open(Locking locking);
  Status examine_again(bool read_data);
  void show_plan() const;
  bool has_plan() const { return !plan_repair(found_.facts).empty(); }
  bool is_whole() const { return found_.is_whole; }
  Status look_behind_the_index();
  Status repair();
  Result<ExitCode> finish();

 private:
  Repository* second() const { return second_.repository.get(); }
  void begin(std::string_view step) const { steps_output_.say_even_as_json(step); }
  Status repair_index_first();
  Status repair_damaged_packs();
  Result<std::vector<Snapshot>> find_returning();
  Status bring_back();
  Status remove_unreadable_snapshots();
  Status make_snapshots_whole();

  const RepairWish& wish_;
  const RepairCalls calls_;
  Session& session_;
  Session& others_;
  const Output steps_output_;
  Repository* repository_ = nullptr;
  OtherRepository second_;
  Examination found_;
  RepairResult result_;
  std::optional<PlannedStep> first_step_;  // of the plan, where it was pretended
  std::set<SnapshotId> returned_;  // of those whose files are damaged: they came from the second
};

Status RepairOfAll::open(Locking locking) {
  // What the cache has is no proof of what the storage has.
  ASSIGN_OR_RETURN(repository_, session_.open(locking, Reading::kFromStorage));
  ASSIGN_OR_RETURN(second_, open_second(wish_.source, others_));
  return examine_again(wish_.read_data);
}

Status RepairOfAll::examine_again(bool read_data) {
  begin(read_data ? "checking the repository, and reading all data" : "checking the repository");
  ASSIGN_OR_RETURN(found_, examine(session_, *repository_, second(), read_data, steps_output_));
  return {};
}

void RepairOfAll::show_plan() const {
  std::vector<PlannedStep> steps = plan_repair(found_.facts);
  if (first_step_) steps.insert(steps.begin(), *first_step_);
  const Output& output = session_.output();
  if (output.is_json()) return output.json(plan_json(found_, steps, calls_));
  output.io().out(plan_text(found_, steps, calls_));
}

Status RepairOfAll::repair_index_first() {
  const std::vector<PlannedStep> steps = plan_repair(found_.facts);
  const auto step = std::ranges::find(steps, RepairStep::kIndex, &PlannedStep::step);
  if (step == steps.end()) return {};
  begin("\nrepairing the index");
  RETURN_IF_ERROR(repair_index_of(session_, *repository_, step->reads_all_packs, steps_output_));
  // Where the index named all packs there are, and rightly, they were read already.
  const bool were_read = !found_.facts.is_index_wrong() && found_.facts.unindexed_packs == 0;
  const std::set<PackId> damaged = found_.facts.damaged_packs;
  RETURN_IF_ERROR(examine_again(wish_.read_data && !were_read));
  if (were_read) found_.facts.damaged_packs.insert(damaged.begin(), damaged.end());
  return {};
}

Status RepairOfAll::repair_damaged_packs() {
  if (found_.facts.damaged_packs.empty()) return {};
  begin("\nrepairing packs");
  ASSIGN_OR_RETURN(const PackRepair done, repair_packs_in(*repository_, found_.facts.damaged_packs,
                                                          second(), true, session_, steps_output_));
  result_.blobs_retrieved += done.blobs_retrieved;
  return {};
}

// A snapshot whose file is damaged may be in the second repository, too: as it is, or as a copy that
// names it as its original.
Result<std::vector<Snapshot>> RepairOfAll::find_returning() {
  std::vector<Snapshot> returning;
  const std::set<SnapshotId>& damaged = found_.facts.unreadable_snapshots;
  if (damaged.empty()) return returning;
  ASSIGN_OR_RETURN(AllSnapshots there, load_all_snapshots(*second(), session_.patience()));
  for (Snapshot& one : there.readable) {
    const bool is_copy = one.original && damaged.contains(*one.original);
    const SnapshotId id = is_copy ? *one.original : one.id;
    if (!damaged.contains(id) || !returned_.insert(id).second) continue;
    one.original = id;
    one.parent.reset();
    returning.push_back(std::move(one));
  }
  return returning;
}

Status RepairOfAll::bring_back() {
  if (second() == nullptr) return {};
  begin("");
  ASSIGN_OR_RETURN(const std::vector<Snapshot> returning, find_returning());
  std::vector<BlobId> roots;
  for (const Snapshot& snapshot : returning) roots.push_back(snapshot.tree);
  ASSIGN_OR_RETURN(const Retrieval done,
                   retrieve_missing(*repository_, *second(), roots, session_, steps_output_));
  result_.blobs_retrieved += done.retrieved;
  // Only now is there all that they need.
  for (const Snapshot& snapshot : returning) {
    ASSIGN_OR_RETURN(const SnapshotId saved,
                     repository_->save_snapshot(snapshot, session_.patience()));
    begin(fmt::format("snapshot {} was brought back as {}", snapshot.original->short_hex(),
                      saved.short_hex()));
  }
  return {};
}

Status RepairOfAll::remove_unreadable_snapshots() {
  for (const SnapshotId& id : found_.facts.unreadable_snapshots) {
    RETURN_IF_ERROR(session_.go_on());
    begin("\nremoving the damaged snapshot file " + id.hex());
    const Status removed =
        repository_->storage().remove({FileType::kSnapshot, id.hex()}, session_.patience());
    if (!removed && removed.error().kind() != ErrorKind::kNotFound) return removed;
    if (!returned_.contains(id)) result_.removed_snapshots.push_back(id.hex());
  }
  return {};
}

Status RepairOfAll::make_snapshots_whole() {
  if (found_.hits.empty()) return {};
  result_.lost = found_.hits;
  begin("\nrepairing snapshots");
  const RepairRules rules(
      [this](const BlobId& id) { return repository_->blob_size(BlobType::kData, id); });
  ASSIGN_OR_RETURN(const AllSnapshots all, load_all_snapshots(*repository_, session_.patience()));
  RewriteOptions how{.forget = true, .writer = writer_options(session_, {})};
  how.patience = std::chrono::ceil<std::chrono::seconds>(session_.options().patience);
  how.stop = session_.stop();
  RewriteReport report(steps_output_, how);
  SnapshotRewriter rewriter(*repository_, &rules, how, report);
  ASSIGN_OR_RETURN(const std::size_t changed, rewriter.rewrite(all.readable));
  report.summarize(changed);
  return {};
}

Status RepairOfAll::repair() {
  result_.quarantine = quarantine_place(wish_.quarantine);
  RETURN_IF_ERROR(repair_index_first());
  RETURN_IF_ERROR(repair_damaged_packs());
  RETURN_IF_ERROR(bring_back());
  RETURN_IF_ERROR(remove_unreadable_snapshots());
  // Now what is missing is lost.
  begin("");
  RETURN_IF_ERROR(examine_again(false));
  RETURN_IF_ERROR(make_snapshots_whole());
  begin("");
  return examine_again(wish_.read_data);
}

// An index that is wrong hides what is lost. So it is repaired as far as this can be pretended; the
// plan then begins with that repair.
Status RepairOfAll::look_behind_the_index() {
  if (found_.facts.are_losses_certain()) return {};
  std::vector<PlannedStep> steps = plan_repair(found_.facts);
  const auto step = std::ranges::find(steps, RepairStep::kIndex, &PlannedStep::step);
  if (step == steps.end()) return {};
  IndexRepairOptions how{.read_all_packs = step->reads_all_packs};
  how.patience = std::chrono::ceil<std::chrono::seconds>(session_.options().patience);
  how.stop = session_.stop();
  RETURN_IF_ERROR(repair_index(*repository_, how));
  RETURN_IF_ERROR(examine_again(wish_.read_data));
  first_step_ = *step;
  // It was wrong, whatever is found behind it.
  found_.is_whole = false;
  return {};
}

Result<ExitCode> RepairOfAll::finish() {
  result_.is_whole = found_.is_whole;
  const Output& output = session_.output();
  if (output.is_json()) {
    output.json(result_json(result_));
  } else {
    output.io().out(result_text(result_));
  }
  if (!result_.is_whole) {
    return Error(ErrorKind::kCorrupt, "the repository still contains errors")
        .hinting("`" + calls_.program + " repair plan` says what is left.");
  }
  if (result_.is_nothing_lost()) return ExitCode::kSuccess;
  return Error(ErrorKind::kCorrupt,
               "the repository is whole again, but what is named above is lost");
}

}  // namespace

Result<ExitCode> plan_repairs(const RepairWish& wish, const std::string& program,
                              Session& session) {
  // A session of the same repository in which changes are only pretended.
  GlobalOptions options = session.options();
  ASSIGN_OR_RETURN(options.access.location, session.location());
  options.access.repository_file.reset();
  ASSIGN_OR_RETURN(const std::shared_ptr<Storage> storage, session.storage());
  Session pretended(options, session.io(), session.stop(),
                    [&storage](const auto&...) -> Result<std::shared_ptr<Storage>> {
                      return std::make_shared<OverlayStorage>(storage);
                    });
  RepairOfAll repair(wish, program, pretended, session);
  RETURN_IF_ERROR(repair.open(Locking::kExclusive));
  RETURN_IF_ERROR(repair.look_behind_the_index());
  repair.show_plan();
  if (repair.is_whole()) return ExitCode::kSuccess;
  return Error(ErrorKind::kCorrupt, "the repository is damaged");
}

Result<ExitCode> repair_all(const RepairWish& wish, const std::string& program, Session& session) {
  RETURN_IF_ERROR(use_quarantine(wish.quarantine, session));
  RepairOfAll repair(wish, program, session, session);
  RETURN_IF_ERROR(repair.open(Locking::kExclusiveToWrite));
  repair.show_plan();
  if (repair.is_whole()) return ExitCode::kSuccess;
  if (repair.has_plan()) RETURN_IF_ERROR(repair.repair());
  return repair.finish();
}

}  // namespace restree
