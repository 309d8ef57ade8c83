#include "tools/commands/check_report.h"

#include <fmt/core.h>

#include <set>
#include <string_view>
#include <vector>

#include "repo/base/restic_words.h"
#include "repo/text/json_writer.h"

namespace restree {
namespace {

template <class Ids>
std::string listed(const Ids& ids) {
  std::string list;
  for (const auto& id : ids) list += (list.empty() ? "" : " ") + id.hex();
  return list;
}

// The beginning of a message about damage for which restic has no words of its own.
std::string damaged(std::string_view how) {
  return fmt::format("\n{} {}\n\n", restic_words::kRepositoryDamaged.text, how);
}

// Comes first: to repair snapshots leaves out what is in no index.
void advise_on_index(const Checker& checker, const std::string& program,
                     std::vector<std::string>& messages) {
  const CheckFindings& findings = checker.findings();
  const bool lacks_blobs = !checker.damage().unknown().empty();
  if (!lacks_blobs && findings.missing_packs == 0) return;
  std::string text;
  if (findings.missing_packs > 0) {
    text = damaged(
        "Pack files are missing. If there is another copy of the repository, take them from there; "
        "otherwise data that only they held is lost. Repair the repository with:");
  } else {
    text = damaged(
        "Data is in no index. A pack that the index does not name, or names wrongly, may have it. "
        "Look for it in all packs, and then leave out of the snapshots what is not found, with:");
  }
  text += fmt::format("{} repair index{}\n", program, lacks_blobs ? " --read-all-packs" : "");
  // Otherwise that comes after the packs.
  const bool packs_follow =
      !findings.broken_packs.empty() || !findings.packs_of_unreadable_trees.empty();
  if (!packs_follow) text += program + " repair snapshots --forget\n";
  messages.push_back(std::move(text));
}

void advise_on_packs(const Checker& checker, const std::string& program,
                     std::vector<std::string>& messages) {
  const CheckFindings& findings = checker.findings();
  if (!findings.broken_packs.empty()) {
    const bool is_any_lost = checker.damage().lost_count() > 0;
    messages.push_back(
        fmt::format("\n{} {} Make a copy of the repository, then remove the damaged files with:\n",
                    restic_words::kPacksDamaged.text,
                    is_any_lost ? "Data that only they hold is lost; all other data can be read."
                                : "As far as was read, no data is lost by that."));
  }
  std::set<PackId> packs = findings.broken_packs;
  packs.insert(findings.packs_of_unreadable_trees.begin(),
               findings.packs_of_unreadable_trees.end());
  if (packs.empty()) return;
  const std::string commands =
      fmt::format("{0} repair packs {1}\n{0} repair snapshots --forget\n", program, listed(packs));
  if (findings.broken_packs.empty()) {
    messages.push_back(damaged("Folders cannot be read. Make a copy of the repository, then save "
                               "what is whole in their packs with:") +
                       commands);
    return;
  }
  // A message of its own, so that programs can find the commands with --json.
  messages.push_back(commands);
  messages.emplace_back(
      "A backup of the same files afterwards saves the missing data again. Damage comes from "
      "faulty disks, memory, network connections or servers: check these too.");
}

// What the user can do about the findings: at least one message.
std::vector<std::string> advice(const Checker& checker, const std::string& program) {
  std::vector<std::string> messages;
  advise_on_index(checker, program, messages);
  advise_on_packs(checker, program, messages);
  const CheckFindings& findings = checker.findings();
  if (!findings.broken_snapshots.empty()) {
    messages.push_back(
        damaged("It contains damaged snapshot files. All other snapshots can be read. Remove the "
                "damaged ones with:") +
        fmt::format("{} repair snapshots --forget {}\n", program,
                    listed(findings.broken_snapshots)));
  }
  if (messages.empty()) {
    messages.push_back(damaged("Folders are stored in a form that cannot be understood. Leave that "
                               "out of the snapshots with:") +
                       program + " repair snapshots --forget\n");
  }
  return messages;
}

}  // namespace

void CheckReport::error(const std::string& text) {
  if (!output_.is_json()) return output_.warn(text);
  JsonWriter json;
  json.begin_object().key("message_type").text("error").key("message").text(text).end_object();
  output_.json_error(json.json());
}

void print_check_summary(const CheckFindings& findings, const Output& output) {
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

void advise(const Checker& checker, const std::string& more, CheckReport& report) {
  std::vector<std::string> messages = advice(checker, report.program());
  messages.back() += more;
  for (const std::string& message : messages) report.error(message);
}

}  // namespace restree
