#include "tools/commands/repair_report.h"

#include <fmt/core.h>

#include <string_view>

#include "repo/text/json_writer.h"

namespace restree {
namespace {

std::string_view title_of(RepairStep step) {
  switch (step) {
    case RepairStep::kIndex:
      return "Make the index agree with the packs";
    case RepairStep::kPacks:
      return "Save what is whole in damaged packs, and remove them";
    case RepairStep::kRetrieval:
      return "Bring back what is missing from the second repository";
    case RepairStep::kSnapshotFiles:
      return "Remove snapshot files that cannot be read";
    case RepairStep::kSnapshots:
      return "Leave out of snapshots what is lost";
  }
  return "";
}

std::string losses_text(const Examination& found) {
  if (!found.facts.are_losses_certain()) {
    return "\nWhat is lost cannot be said before the index is right. Once that is done, this shows "
           "it.\n";
  }
  if (found.hits.empty()) return "\nNo snapshot loses anything.\n";
  std::string text = hits_text(found.hits);
  if (found.facts.has_second) {
    text += fmt::format("\nOf the {} blobs that they lack, the second repository has {}.\n",
                        found.facts.lost_blobs, found.in_second);
  } else {
    text +=
        "\nIf there is a second repository with the same files (a copy of this one), name it with "
        "--from-repo: what is whole there comes back. If the files are still there, `restree "
        "backup --force` before the last step stores them again.\n";
  }
  return text;
}

void write_losses(JsonWriter& json, const std::vector<HitApp>& apps) {
  json.key("lost").begin_array();
  for (const HitApp& app : apps) {
    json.begin_object().key("app").text(app.name);
    json.key("snapshots_hit").number(app.hit).key("snapshots").number(app.snapshots);
    json.key("groups").begin_array();
    for (const HitSnapshots& group : app.groups) {
      json.begin_object().key("snapshots").begin_array();
      for (const SnapshotId& id : group.ids) json.text(id.hex());
      json.end_array().key("paths").begin_array();
      for (const std::string& path : group.paths) json.text(path);
      json.end_array().key("path_count").number(group.path_count).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

}  // namespace

std::string plan_text(const Examination& found, const std::vector<PlannedStep>& steps,
                      const RepairCalls& calls) {
  const std::string unread = found.has_read_data ? ""
                                                 : "\nThe content of the packs was not read: only "
                                                   "--read-data finds all that is damaged.\n";
  if (steps.empty()) {
    return (found.is_whole ? "There is nothing to repair.\n"
                           : "No repair helps against what was found.\n") +
           unread;
  }
  std::string text = "The repository is damaged. What helps, in this order:\n";
  int number = 0;
  for (const PlannedStep& step : steps) {
    text += fmt::format("\n{}. {}: {}.{}\n   {} {}\n", ++number, title_of(step.step), step.why,
                        step.is_conditional ? " Perhaps the steps before make this needless." : "",
                        calls.program, command_for(step, calls.second));
  }
  text += fmt::format("\nAll of it: {} repair all{}{}\n", calls.program,
                      found.has_read_data ? " --read-data" : "",
                      calls.second.empty() ? "" : " " + calls.second);
  return text + losses_text(found) + unread;
}

std::string plan_json(const Examination& found, const std::vector<PlannedStep>& steps,
                      const RepairCalls& calls) {
  JsonWriter json;
  json.begin_object().key("message_type").text("repair_plan");
  json.key("whole").boolean(found.is_whole).key("data_read").boolean(found.has_read_data);
  json.key("steps").begin_array();
  for (const PlannedStep& step : steps) {
    json.begin_object().key("step").text(name_of(step.step)).key("why").text(step.why);
    json.key("conditional").boolean(step.is_conditional).key("ids").begin_array();
    for (const std::string& id : step.ids) json.text(id);
    json.end_array();
    json.key("command").text(calls.program + " " + command_for(step, calls.second)).end_object();
  }
  json.end_array().key("losses_certain").boolean(found.facts.are_losses_certain());
  json.key("blobs_lost").number(found.facts.lost_blobs);
  json.key("blobs_in_second").number(found.in_second);
  write_losses(json, found.hits);
  json.end_object();
  return std::string(json.json());
}

std::string result_text(const RepairResult& result) {
  std::string text;
  if (!result.lost.empty()) {
    text += hits_text(result.lost);
    text += "\nThe snapshots were made whole without them.\n";
  }
  if (!result.removed_snapshots.empty()) {
    text += "\nSnapshots whose files could not be read, and were removed:\n";
    for (const std::string& id : result.removed_snapshots) text += "  " + id + "\n";
    text += "`restree recover` finds trees that no snapshot holds any more.\n";
  }
  if (result.quarantine.empty()) return text;
  text += "\nWhatever was removed is kept in " + result.quarantine +
          ": `restree repair quarantine` lists it.\n";
  if (result.is_whole && result.is_nothing_lost()) {
    text += "The repository is whole again. Nothing is lost.\n";
  }
  return text;
}

std::string result_json(const RepairResult& result) {
  JsonWriter json;
  json.begin_object().key("message_type").text("repair_summary");
  json.key("whole").boolean(result.is_whole);
  json.key("nothing_lost").boolean(result.is_nothing_lost());
  json.key("blobs_retrieved").number(result.blobs_retrieved);
  json.key("quarantine").text(result.quarantine);
  json.key("removed_snapshots").begin_array();
  for (const std::string& id : result.removed_snapshots) json.text(id);
  json.end_array();
  write_losses(json, result.lost);
  json.end_object();
  return std::string(json.json());
}

}  // namespace restree
