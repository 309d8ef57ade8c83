#include "repo/format/snapshot.h"

#include "repo/format/json_reader.h"

namespace restree {
namespace {

template <class IdType>
std::optional<IdType> id_or_null(const json::Value& value) {
  if (value.is_null()) return std::nullopt;
  return value.to_id<IdType>();
}

Timestamp time_of(const json::Value& value) {
  const auto time = parse_timestamp(value.to_text());
  if (!time) throw json::BadJson("not a time");
  return *time;
}

}  // namespace

Result<Snapshot> parse_snapshot(const SnapshotId& id, ByteView json) {
  Snapshot snapshot;
  snapshot.id = id;
  bool has_time = false;
  RETURN_IF_ERROR(json::read_json(json, "snapshot", [&](json::Root root) {
    root.each_field([&](std::string_view key, json::Value value) {
      if (key == "time") {
        snapshot.time = time_of(value);
        has_time = true;
      }
      if (key == "tree") snapshot.tree = id_or_null<BlobId>(value);
      if (key == "paths") snapshot.paths = value.to_texts();
      if (key == "hostname") snapshot.hostname = value.to_text();
      if (key == "username") snapshot.username = value.to_text();
      if (key == "uid") snapshot.uid = value.to_u32();
      if (key == "gid") snapshot.gid = value.to_u32();
      if (key == "excludes") snapshot.excludes = value.to_texts();
      if (key == "tags") snapshot.tags = value.to_texts();
      if (key == "parent") snapshot.parent = id_or_null<SnapshotId>(value);
      if (key == "original") snapshot.original = id_or_null<SnapshotId>(value);
      if (key == "program_version") snapshot.program_version = value.to_text();
    });
  }));
  if (!has_time) return Error(ErrorKind::kCorrupt, "snapshot: no time");
  if (!snapshot.tree) return Error(ErrorKind::kCorrupt, "snapshot: no tree");
  return snapshot;
}

}  // namespace restree
