#include "tools/commands/snapshot_table.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "tools/commands/node_text.h"
#include "tools/output/human.h"
#include "tools/output/table.h"

namespace restree {
namespace {

std::string joined_lines(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "\n"));
}

void append_list(JsonWriter& json, const std::vector<std::string>& list) {
  json.begin_array();
  for (const std::string& word : list) json.text(word);
  json.end_array();
}

}  // namespace

std::vector<SnapshotRow> rows_of(const std::vector<Snapshot>& snapshots) {
  std::vector<SnapshotRow> rows;
  rows.reserve(snapshots.size());
  for (const Snapshot& one : snapshots) rows.push_back({&one});
  return rows;
}

std::string local_zone_name() {
  const char* name = std::getenv("TZ");
  if (name == nullptr) return "local time";
  return *name == '\0' ? "UTC" : name;
}

std::string snapshot_table(const std::vector<SnapshotRow>& rows, bool compact) {
  const bool has_size = std::ranges::any_of(
      rows, [](const SnapshotRow& row) { return row.snapshot->summary.has_value(); });
  const bool has_reasons = !compact && std::ranges::any_of(rows, [](const SnapshotRow& row) {
    return !row.reasons.empty();
  });
  std::vector<std::string> columns{"ID", "Time"};
  if (compact) {
    columns.insert(columns.end(), {"Host", "Tags  "});
  } else {
    columns.insert(columns.end(), {"Host      ", "Tags      "});
    if (has_reasons) columns.emplace_back("Reasons");
    columns.emplace_back("Paths");
  }
  if (has_size) columns.emplace_back("Size");
  Table table(std::move(columns));
  for (const SnapshotRow& row : rows) {
    const Snapshot& one = *row.snapshot;
    std::vector<std::string> cells{one.id.short_hex(), local_time(one.time), one.hostname};
    if (compact) {
      cells.push_back(joined_lines(one.tags));
    } else {
      cells.push_back(fmt::format("{}", fmt::join(one.tags, ",")));
      if (has_reasons) cells.push_back(joined_lines(row.reasons));
      cells.push_back(joined_lines(one.paths));
      if (one.paths.size() > 1) table.separate_rows();
    }
    if (has_size) {
      cells.push_back(one.summary ? format_bytes(one.summary->total_bytes_processed) : "");
    }
    table.add_row(std::move(cells));
  }
  table.add_footer("Timestamps shown in " + local_zone_name());
  table.add_footer(fmt::format("{} snapshots", rows.size()));
  return table.text();
}

std::string group_header(const SnapshotGroup& group, GroupBy by) {
  std::vector<std::string> parts;
  if (by.app) parts.push_back("app [" + group.app + "]");
  if (by.host && !group.hostname.empty()) parts.push_back("host [" + group.hostname + "]");
  if (by.tags && !group.tags.empty()) {
    parts.push_back(fmt::format("tags [{}]", fmt::join(group.tags, ", ")));
  }
  if (by.paths && !group.paths.empty()) {
    parts.push_back(fmt::format("paths [{}]", fmt::join(group.paths, ", ")));
  }
  if (parts.empty()) return "";
  return fmt::format("snapshots for ({}):\n", fmt::join(parts, ", "));
}

void make_readable(SnapshotGroup& group, const Output& output) {
  const auto change = [&](std::string& name) { name = output.shown(name); };
  change(group.hostname);
  change(group.app);
  std::ranges::for_each(group.tags, change);
  std::ranges::for_each(group.paths, change);
  for (Snapshot& one : group.snapshots) {
    change(one.hostname);
    std::ranges::for_each(one.tags, change);
    std::ranges::for_each(one.paths, change);
  }
}

void append_snapshot(JsonWriter& json, const Snapshot& snapshot) {
  json.begin_object();
  append_snapshot_fields(snapshot, json);
  json.key("id").text(snapshot.id.hex()).key("short_id").text(snapshot.id.short_hex());
  json.end_object();
}

void append_snapshots(JsonWriter& json, const std::vector<Snapshot>& snapshots) {
  json.begin_array();
  for (const Snapshot& one : snapshots) append_snapshot(json, one);
  json.end_array();
}

void append_list_or_null(JsonWriter& json, const std::vector<std::string>& list, bool wanted) {
  if (wanted && !list.empty()) {
    append_list(json, list);
  } else {
    json.null();
  }
}

}  // namespace restree
