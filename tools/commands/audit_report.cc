#include "tools/commands/audit_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "repo/base/readable.h"
#include "repo/text/json_writer.h"
#include "tools/commands/node_text.h"
#include "tools/output/table.h"

namespace restree {
namespace {

// Snapshots that the table names; all of them are in the JSON.
constexpr std::size_t kNamedSnapshots = 10;

bool is_to_look_at(const Finding& finding) { return finding.weight != Weight::kRemark; }

std::string_view word_of(Weight weight) {
  switch (weight) {
    case Weight::kRemark:
      return "remark";
    case Weight::kWarning:
      return "warning";
    case Weight::kAlarm:
      return "alarm";
  }
  return "";
}

std::string line_of(const SeenSnapshot& snapshot) {
  std::string line = fmt::format("  {}  {}  {}", SnapshotId{snapshot.id.bytes}.short_hex(),
                                 local_time({snapshot.time, 0}), readable(snapshot.host));
  for (const std::string& path : snapshot.paths) line += " " + readable(path);
  return line;
}

std::string names_of(const Finding& finding) {
  std::string lines;
  std::size_t named = 0;
  for (const JournalId& file : finding.files) {
    if (named == kNamedSnapshots) {
      return lines + fmt::format("\n  and {} more", finding.files.size() - named);
    }
    ++named;
    const auto known = std::ranges::find(finding.about, file, &SeenSnapshot::id);
    lines += "\n" + (known == finding.about.end() ? "  " + file.short_hex() : line_of(*known));
  }
  return lines;
}

std::string description_of(const Finding& finding) {
  const Readings readings = readings_of(finding.kind);
  std::string text = headline_of(finding);
  text += names_of(finding);
  text += fmt::format("\ninnocent: {}", readings.innocent);
  if (is_to_look_at(finding)) text += fmt::format("\nguilty:   {}", readings.guilty);
  return text + fmt::format("\nnext:     {}", readings.next);
}

void print_table(const Audit& audit, const Output& output) {
  Table table({"Seen", "Weight", "What, and what it may mean"});
  table.separate_rows();
  bool is_any = false;
  for (const Finding& finding : audit.findings) {
    if (!is_to_look_at(finding) && !output.has_details()) continue;
    is_any = true;
    table.add_row({local_time({finding.seen, 0}), std::string(word_of(finding.weight)),
                   description_of(finding)});
  }
  if (is_any) output.io().out(table.text());
}

void append_time(JsonWriter& json, std::string_view name, std::int64_t seconds) {
  json.key(name);
  if (seconds == kNoTime) {
    json.null();
  } else {
    json.text(format_timestamp({seconds, 0}));
  }
}

void append_snapshot(JsonWriter& json, const SeenSnapshot& snapshot) {
  json.begin_object().key("id").text(snapshot.id.hex());
  json.key("time").text(format_timestamp({snapshot.time, 0}));
  json.key("hostname").text(snapshot.host);
  json.key("paths").begin_array();
  for (const std::string& path : snapshot.paths) json.text(path);
  json.end_array().key("tags").begin_array();
  for (const std::string& tag : snapshot.tags) json.text(tag);
  json.end_array().end_object();
}

void append_finding(JsonWriter& json, const Finding& finding) {
  const Readings readings = readings_of(finding.kind);
  json.begin_object().key("kind").text(name_of(finding.kind));
  json.key("weight").text(word_of(finding.weight));
  append_time(json, "after", finding.after);
  append_time(json, "seen", finding.seen);
  json.key("message").text(headline_of(finding));
  json.key("innocent").text(readings.innocent);
  json.key("guilty").text(readings.guilty);
  json.key("next").text(readings.next);
  json.key("count").number(finding.files.empty() ? finding.count : finding.files.size());
  json.key("ids").begin_array();
  for (const JournalId& file : finding.files) json.text(file.hex());
  json.end_array().key("snapshots").begin_array();
  for (const SeenSnapshot& one : finding.about) append_snapshot(json, one);
  json.end_array().end_object();
}

void print_json(const Audit& audit, const Output& output) {
  JsonWriter json;
  json.begin_object().key("message_type").text("audit");
  json.key("repository").text(audit.repository.hex());
  json.key("visits").number(audit.visits);
  append_time(json, "first_visit", audit.first_visit);
  append_time(json, "accepted", audit.accepted);
  json.key("to_look_at").number(audit.count());
  json.key("findings").begin_array();
  for (const Finding& finding : audit.findings) append_finding(json, finding);
  json.end_array().end_object();
  output.json(json.json());
}

}  // namespace

std::size_t Audit::count() const {
  return static_cast<std::size_t>(std::ranges::count_if(findings, is_to_look_at));
}

void print_audit(const Audit& audit, const Output& output) {
  if (output.is_json()) return print_json(audit, output);
  if (audit.bytes_left_out > 0) {
    output.warn(fmt::format("the last {} bytes of the journal were cut off, and are left out",
                            audit.bytes_left_out));
  }
  print_table(audit, output);
  if (audit.is_first_visit) {
    output.say("this is the first visit of this machine: the next ones are compared with it");
  } else {
    output.say(fmt::format("compared with what this machine has seen since {}",
                           local_time({audit.first_visit, 0})));
  }
  if (audit.count() == 0) return output.say("nothing was found that needs a look");
  output.say(fmt::format("{} to look at; after that, restree audit --accept", audit.count()));
}

}  // namespace restree
