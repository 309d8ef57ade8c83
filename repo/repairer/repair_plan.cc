#include "repo/repairer/repair_plan.h"

#include <fmt/core.h>

namespace restree {
namespace {

// "3 packs are", "1 pack is".
std::string are(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? " is" : "s are");
}

template <class Ids>
std::vector<std::string> hex_of(const Ids& ids) {
  std::vector<std::string> all;
  for (const auto& id : ids) all.push_back(id.hex());
  return all;
}

void add(std::string& text, const std::string& part) { text += (text.empty() ? "" : "; ") + part; }

std::string why_index(const RepairFacts& facts) {
  std::string why;
  if (facts.damaged_index_files > 0) {
    add(why, are(facts.damaged_index_files, "index file") + " damaged");
  }
  if (facts.missing_packs > 0) {
    add(why, are(facts.missing_packs, "pack") + " missing that the index names");
  }
  if (!facts.misindexed_packs.empty()) {
    add(why, are(facts.misindexed_packs.size(), "pack") + " not as the index says");
  }
  // By themselves they harm nobody: an interrupted backup leaves some.
  if (facts.unindexed_packs > 0 && (facts.lost_blobs > 0 || !why.empty())) {
    add(why, are(facts.unindexed_packs, "pack") + " in no index");
  }
  return why;
}

}  // namespace

std::vector<PlannedStep> plan_repair(const RepairFacts& facts) {
  std::vector<PlannedStep> steps;
  const std::string index = why_index(facts);
  if (!index.empty()) {
    steps.push_back({.step = RepairStep::kIndex,
                     .why = index,
                     .reads_all_packs = !facts.misindexed_packs.empty()});
  }
  if (!facts.damaged_packs.empty()) {
    steps.push_back({.step = RepairStep::kPacks,
                     .why = are(facts.damaged_packs.size(), "pack") + " damaged",
                     .ids = hex_of(facts.damaged_packs)});
  }
  const bool may_be_more = !facts.are_losses_certain();
  const bool is_lost = facts.lost_blobs > 0;
  if (facts.has_second && (is_lost || may_be_more)) {
    steps.push_back({.step = RepairStep::kRetrieval,
                     .why = is_lost ? are(facts.lost_blobs, "blob") + " missing here"
                                    : "blobs may be missing here",
                     .is_conditional = may_be_more});
  }
  if (!facts.unreadable_snapshots.empty()) {
    steps.push_back({.step = RepairStep::kSnapshotFiles,
                     .why = are(facts.unreadable_snapshots.size(), "snapshot file") +
                            " damaged, and tells nothing any more",
                     .ids = hex_of(facts.unreadable_snapshots)});
  }
  if (is_lost) {
    steps.push_back({.step = RepairStep::kSnapshots,
                     .why = "snapshots need what is lost, and are made whole without it",
                     .is_conditional = may_be_more || facts.has_second});
  }
  return steps;
}

std::string_view name_of(RepairStep step) {
  switch (step) {
    case RepairStep::kIndex:
      return "index";
    case RepairStep::kPacks:
      return "packs";
    case RepairStep::kRetrieval:
      return "retrieval";
    case RepairStep::kSnapshotFiles:
      return "snapshot_files";
    case RepairStep::kSnapshots:
      return "snapshots";
  }
  return "";
}

std::string command_for(const PlannedStep& step, const std::string& second) {
  const std::string kept = " --quarantine repository";
  std::string ids;
  for (const std::string& id : step.ids) ids += " " + id;
  switch (step.step) {
    case RepairStep::kIndex:
      return std::string("repair index") + (step.reads_all_packs ? " --read-all-packs" : "") + kept;
    case RepairStep::kPacks:
      return "repair packs" + kept + (second.empty() ? "" : " " + second) + ids;
    case RepairStep::kRetrieval:
      return "repair packs " + second;
    case RepairStep::kSnapshotFiles:
    case RepairStep::kSnapshots:
      return "repair snapshots --forget" + kept + ids;
  }
  return "";
}

}  // namespace restree
