// A snapshot file: when, of what, by whom, and the tree it points to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/format/timestamp.h"

namespace restree {

struct Snapshot {
  SnapshotId id;  // the name of the file, not part of it
  Timestamp time;
  std::optional<BlobId> tree;
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
};

// Missing fields are as above (old versions wrote fewer); a missing time or tree is kCorrupt.
// Strings are taken as any bytes that JSON can carry.
Result<Snapshot> parse_snapshot(const SnapshotId& id, ByteView json);

}  // namespace restree
