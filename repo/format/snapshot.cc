#include "repo/format/snapshot.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "repo/text/json_reader.h"

namespace restree {
namespace {

template <class IdType>
std::optional<IdType> id_or_null(const json::Value& value) {
  if (value.is_null()) return std::nullopt;
  return value.to_id<IdType>();
}

ZonedTimestamp time_of(const json::Value& value) {
  const auto time = parse_zoned_timestamp(value.to_text());
  if (!time) throw json::BadJson("not a time");
  return *time;
}

OtherField other_field(std::string_view name, json::Value& value) {
  return {std::string(name), std::string(value.text())};
}

using Count = std::uint64_t SnapshotSummary::*;
// In the order in which they are written.
constexpr std::array<std::pair<std::string_view, Count>, 12> kCounts = {{
    {"files_new", &SnapshotSummary::files_new},
    {"files_changed", &SnapshotSummary::files_changed},
    {"files_unmodified", &SnapshotSummary::files_unmodified},
    {"dirs_new", &SnapshotSummary::dirs_new},
    {"dirs_changed", &SnapshotSummary::dirs_changed},
    {"dirs_unmodified", &SnapshotSummary::dirs_unmodified},
    {"data_blobs", &SnapshotSummary::data_blobs},
    {"tree_blobs", &SnapshotSummary::tree_blobs},
    {"data_added", &SnapshotSummary::data_added},
    {"data_added_packed", &SnapshotSummary::data_added_packed},
    {"total_files_processed", &SnapshotSummary::total_files_processed},
    {"total_bytes_processed", &SnapshotSummary::total_bytes_processed},
}};

std::optional<SnapshotSummary> summary_of(json::Value& value) {
  if (value.is_null()) return std::nullopt;
  SnapshotSummary summary;
  value.each_field([&](std::string_view key, json::Value field) {
    if (key == "backup_start") {
      summary.backup_start = time_of(field);
    } else if (key == "backup_end") {
      summary.backup_end = time_of(field);
    } else if (const auto* const known =
                   std::ranges::find(kCounts, key, &std::pair<std::string_view, Count>::first);
               known != kCounts.end()) {
      summary.*known->second = field.to_u64();
    } else {
      summary.others.push_back(other_field(key, field));
    }
  });
  return summary;
}

void append_texts(std::string_view key, const std::vector<std::string>& texts, JsonWriter& writer) {
  writer.key(key).begin_array();
  for (const std::string& text : texts) writer.text(text);
  writer.end_array();
}

void append_others(const std::vector<OtherField>& others, JsonWriter& writer) {
  for (const OtherField& field : others) writer.key(field.name).raw(field.json);
}

void append_unless_empty(std::string_view key, const std::string& text, JsonWriter& writer) {
  if (!text.empty()) writer.key(key).text(text);
}

void append_unless_zero(std::string_view key, std::uint64_t number, JsonWriter& writer) {
  if (number != 0) writer.key(key).number(number);
}

void append_plain_fields(const Snapshot& snapshot, JsonWriter& writer) {
  writer.key("time").text(
      format_zoned_timestamp(ZonedTimestamp{snapshot.time, snapshot.time_offset_seconds}));
  if (snapshot.parent) writer.key("parent").text(snapshot.parent->hex());
  writer.key("tree").text(snapshot.tree.hex());
  append_texts("paths", snapshot.paths, writer);
  append_unless_empty("hostname", snapshot.hostname, writer);
  append_unless_empty("username", snapshot.username, writer);
  append_unless_zero("uid", snapshot.uid, writer);
  append_unless_zero("gid", snapshot.gid, writer);
  if (!snapshot.excludes.empty()) append_texts("excludes", snapshot.excludes, writer);
  if (!snapshot.tags.empty()) append_texts("tags", snapshot.tags, writer);
  if (snapshot.original) writer.key("original").text(snapshot.original->hex());
  append_unless_empty("program_version", snapshot.program_version, writer);
}

// False: no such field is known.
bool set_field(std::string_view key, json::Value& value, Snapshot& snapshot) {
  if (key == "paths") return snapshot.paths = value.to_texts(), true;
  if (key == "hostname") return snapshot.hostname = value.to_text(), true;
  if (key == "username") return snapshot.username = value.to_text(), true;
  if (key == "uid") return snapshot.uid = value.to_u32(), true;
  if (key == "gid") return snapshot.gid = value.to_u32(), true;
  if (key == "excludes") return snapshot.excludes = value.to_texts(), true;
  if (key == "tags") return snapshot.tags = value.to_texts(), true;
  if (key == "parent") return snapshot.parent = id_or_null<SnapshotId>(value), true;
  if (key == "original") return snapshot.original = id_or_null<SnapshotId>(value), true;
  if (key == "program_version") return snapshot.program_version = value.to_text(), true;
  if (key == "summary") return snapshot.summary = summary_of(value), true;
  return false;
}

}  // namespace

void append_summary_fields(const SnapshotSummary& summary, JsonWriter& writer) {
  writer.key("backup_start").text(format_zoned_timestamp(summary.backup_start));
  writer.key("backup_end").text(format_zoned_timestamp(summary.backup_end));
  for (const auto& [name, count] : kCounts) writer.key(name).number(summary.*count);
}

void append_snapshot_fields(const Snapshot& snapshot, JsonWriter& writer) {
  append_plain_fields(snapshot, writer);
  if (!snapshot.summary) return;
  writer.key("summary").begin_object();
  append_summary_fields(*snapshot.summary, writer);
  writer.end_object();
}

std::string write_snapshot(const Snapshot& snapshot) {
  JsonWriter writer;
  writer.begin_object();
  append_plain_fields(snapshot, writer);
  if (snapshot.summary) {
    writer.key("summary").begin_object();
    append_summary_fields(*snapshot.summary, writer);
    append_others(snapshot.summary->others, writer);
    writer.end_object();
  }
  append_others(snapshot.others, writer);
  writer.end_object();
  return writer.json();
}

Result<Snapshot> parse_snapshot(const SnapshotId& id, ByteView json) {
  Snapshot snapshot;
  snapshot.id = id;
  bool has_time = false;
  std::optional<BlobId> tree;
  RETURN_IF_ERROR(json::read_json(json, "snapshot", [&](json::Root root) {
    root.each_field([&](std::string_view key, json::Value value) {
      if (key == "time") {
        const ZonedTimestamp zoned = time_of(value);
        snapshot.time = zoned.time;
        snapshot.time_offset_seconds = zoned.offset_seconds;
        has_time = true;
      } else if (key == "tree") {
        tree = id_or_null<BlobId>(value);
      } else if (!set_field(key, value, snapshot)) {
        snapshot.others.push_back(other_field(key, value));
      }
    });
  }));
  if (!has_time) return Error(ErrorKind::kCorrupt, "snapshot: no time");
  if (!tree) return Error(ErrorKind::kCorrupt, "snapshot: no tree");
  snapshot.tree = *tree;
  return snapshot;
}

}  // namespace restree
