// A snapshot file: when, of what, by whom, and the tree it points to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/text/json_writer.h"
#include "repo/text/timestamp.h"

namespace restree {

// A field that is not known here, such as another program or a later version writes.
struct OtherField {
  std::string name;
  std::string json;  // its value as it was written
};

// What the backup did, as restic 0.17 and later count it.
struct SnapshotSummary {
  ZonedTimestamp backup_start;
  ZonedTimestamp backup_end;
  std::uint64_t files_new = 0;
  std::uint64_t files_changed = 0;
  std::uint64_t files_unmodified = 0;
  std::uint64_t dirs_new = 0;
  std::uint64_t dirs_changed = 0;
  std::uint64_t dirs_unmodified = 0;
  std::uint64_t data_blobs = 0;
  std::uint64_t tree_blobs = 0;
  std::uint64_t data_added = 0;         // bytes of new blobs before compression
  std::uint64_t data_added_packed = 0;  // what they take in packs
  std::uint64_t total_files_processed = 0;
  std::uint64_t total_bytes_processed = 0;
  std::vector<OtherField> others = {};
};

struct Snapshot {
  SnapshotId id;  // the name of the file, not part of it
  Timestamp time;
  std::int32_t time_offset_seconds = 0;  // of the zone in which the file records the time
  BlobId tree;
  std::vector<std::string> paths;
  std::string hostname;
  std::string username;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::string> excludes;
  std::vector<std::string> tags;
  std::optional<SnapshotId> parent;
  std::optional<SnapshotId> original;
  std::string program_version;
  std::optional<SnapshotSummary> summary;
  std::vector<OtherField> others = {};
};

// Missing fields are as above (old versions wrote fewer); a missing time or tree is kCorrupt.
// Strings are taken as any bytes that JSON can carry.
Result<Snapshot> parse_snapshot(const SnapshotId& id, ByteView json);

// The file's content, byte for byte as restic 0.19 writes it; behind that, fields that are not known
// here stay as they are.
std::string write_snapshot(const Snapshot& snapshot);
// Writes the fields that are known here into an object that the caller has begun, for commands that
// print snapshots.
void append_snapshot_fields(const Snapshot& snapshot, JsonWriter& writer);
void append_summary_fields(const SnapshotSummary& summary, JsonWriter& writer);

}  // namespace restree
