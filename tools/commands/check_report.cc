#include "tools/commands/check_report.h"

#include <fmt/core.h>

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

// What the user can do about the findings: at least one message.
std::vector<std::string> advice(const CheckFindings& findings, const std::string& program) {
  std::vector<std::string> messages;
  if (!findings.broken_packs.empty()) {
    messages.push_back(fmt::format(
        "\n{} Data that only they hold is lost; all other data can be read. Make a copy of the "
        "repository, then remove the damaged files with:\n",
        restic_words::kPacksDamaged.text));
    // A message of its own, so that programs can find the commands with --json.
    messages.push_back(fmt::format("{0} repair packs {1}\n{0} repair snapshots --forget\n", program,
                                   listed(findings.broken_packs)));
    messages.emplace_back(
        "A backup of the same files afterwards saves the missing data again. Damage comes from "
        "faulty disks, memory, network connections or servers: check these too.");
  }
  if (!findings.broken_snapshots.empty()) {
    messages.push_back(fmt::format(
        "\n{} It contains damaged snapshot files. All other snapshots can be read. Remove the "
        "damaged ones with:\n\n{} repair snapshots --forget {}\n",
        restic_words::kRepositoryDamaged.text, program, listed(findings.broken_snapshots)));
  }
  if (findings.missing_packs > 0) {
    messages.push_back(fmt::format(
        "\n{0} Pack files are missing. If there is another copy of the repository, take them from "
        "there; otherwise data that only they held is lost. Repair the repository with:\n\n"
        "{1} repair index\n{1} repair snapshots --forget\n",
        restic_words::kRepositoryDamaged.text, program));
  } else if (findings.broken_packs.empty() && findings.broken_snapshots.empty()) {
    messages.push_back(
        fmt::format("\n{} Make a copy of it, then follow "
                    "https://restic.readthedocs.io/en/stable/077_troubleshooting.html\n",
                    restic_words::kRepositoryDamaged.text));
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

void advise(const CheckFindings& findings, const std::string& more, CheckReport& report) {
  std::vector<std::string> messages = advice(findings, report.program());
  messages.back() += more;
  for (const std::string& message : messages) report.error(message);
}

}  // namespace restree
