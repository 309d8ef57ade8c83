// Snapshots and groups of them as commands print them: in restic's tables, and in its JSON.
//
// Threads: one.
#pragma once

#include <string>
#include <vector>

#include "repo/format/snapshot.h"
#include "repo/snapshots/snapshot_filter.h"
#include "repo/text/json_writer.h"
#include "tools/output/output.h"

namespace restree {

struct SnapshotRow {
  const Snapshot* snapshot;
  std::vector<std::string> reasons = {};  // why a policy keeps it, a line each
};
// The snapshots must outlive the rows.
std::vector<SnapshotRow> rows_of(const std::vector<Snapshot>& snapshots);

// A table with the number of snapshots below it. Reasons have a column if any row has one; `compact`
// leaves out paths and reasons.
std::string snapshot_table(const std::vector<SnapshotRow>& rows, bool compact);
// "snapshots for (host [h], paths [/p]):" and a line break; empty without anything to say.
std::string group_header(const SnapshotGroup& group, GroupBy by);
// As Go's time package names the local zone.
std::string local_zone_name();

// Makes names harmless for a terminal: nothing in a snapshot can break out of its cell.
void make_readable(SnapshotGroup& group, const Output& output);

// The stored fields, and the id.
void append_snapshot(JsonWriter& json, const Snapshot& snapshot);
void append_snapshots(JsonWriter& json, const std::vector<Snapshot>& snapshots);
void append_list_or_null(JsonWriter& json, const std::vector<std::string>& list, bool wanted);

}  // namespace restree
