#include "tools/commands/snapshot_line.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "repo/base/restic_words.h"
#include "tools/commands/node_text.h"

namespace restree {

std::string snapshot_line(const Snapshot& snapshot, const Output& output) {
  return fmt::format(restic_words::kSnapshotLine.text, snapshot.id.short_hex(),
                     output.shown(fmt::format("{}", fmt::join(snapshot.paths, " "))),
                     go_time({snapshot.time, snapshot.time_offset_seconds}),
                     output.shown(snapshot.username), output.shown(snapshot.hostname));
}

}  // namespace restree
