#include "tools/commands/forget_report.h"

#include <fmt/core.h>

#include <ranges>

#include "repo/text/json_writer.h"
#include "tools/commands/snapshot_table.h"

namespace restree {
namespace {

enum class Fate { kKept, kRemoved };

bool has_fate(const JudgedSnapshot& one, Fate fate) {
  return one.is_kept() == (fate == Fate::kKept);
}

// "keep 3 snapshots:", the table and an empty line, the oldest first; nothing without snapshots.
void print_table(const JudgedGroup& group, Fate fate, bool compact, const Output& output) {
  std::vector<SnapshotRow> rows;
  for (const JudgedSnapshot& one : std::views::reverse(group.judged)) {
    if (has_fate(one, fate)) rows.push_back({one.snapshot, one.reasons});
  }
  if (rows.empty()) return;
  output.say(fmt::format("{} {} snapshots:\n{}", fate == Fate::kKept ? "keep" : "remove",
                         rows.size(), snapshot_table(rows, compact)));
}

void append_with_fate(JsonWriter& json, const JudgedGroup& group, Fate fate) {
  bool is_begun = false;
  for (const JudgedSnapshot& one : group.judged) {
    if (!has_fate(one, fate)) continue;
    if (!is_begun) json.begin_array();
    is_begun = true;
    append_snapshot(json, *one.snapshot);
  }
  if (is_begun) {
    json.end_array();
  } else {
    json.null();
  }
}

void append_reasons(JsonWriter& json, const JudgedGroup& group) {
  if (group.removals() == group.judged.size()) {
    json.null();
    return;
  }
  json.begin_array();
  for (const JudgedSnapshot& one : group.judged) {
    if (!one.is_kept()) continue;
    json.begin_object().key("snapshot");
    append_snapshot(json, *one.snapshot);
    json.key("matches").begin_array();
    for (const std::string& reason : one.reasons) json.text(reason);
    json.end_array().end_object();
  }
  json.end_array();
}

}  // namespace

void print_judged_group(JudgedGroup& group, GroupBy by, bool compact, const Output& output) {
  make_readable(group.group, output);
  std::string header = group_header(group.group, by);
  if (!header.empty()) header.pop_back();  // its line break
  if (!header.empty()) output.detail(header);
  print_table(group, Fate::kKept, compact, output);
  print_table(group, Fate::kRemoved, compact, output);
}

std::string json_of_judged(const std::vector<JudgedGroup>& groups, GroupBy by,
                           const Judging* judging) {
  JsonWriter json;
  json.begin_array();
  for (const JudgedGroup& group : groups) {
    json.begin_object().key("tags");
    append_list_or_null(json, group.group.tags, by.tags);
    json.key("host").text(group.group.hostname).key("paths");
    append_list_or_null(json, group.group.paths, by.paths);
    if (by.app) json.key("app").text(group.group.app);
    json.key("keep");
    append_with_fate(json, group, Fate::kKept);
    json.key("remove");
    append_with_fate(json, group, Fate::kRemoved);
    json.key("reasons");
    append_reasons(json, group);
    if (judging != nullptr) {
      json.key("explain");
      append_explanation(json, group, *judging);
    }
    json.end_object();
  }
  json.end_array();
  return json.json();
}

}  // namespace restree
