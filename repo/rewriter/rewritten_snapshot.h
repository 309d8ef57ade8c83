// What becomes of a snapshot whose tree was rewritten, by restic's rule.
//
// Pure functions of values. Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "repo/format/snapshot.h"
#include "repo/rewriter/tree_rewriter.h"
#include "repo/text/timestamp.h"

namespace restree {

struct SnapshotEdit {
  std::string host = {};  // empty: as it is
  std::optional<ZonedTimestamp> time = {};
  std::string tag = {};  // added; empty: none
  // The summary is to say how many files and bytes the tree holds.
  bool count_content = false;
  // A snapshot of which nothing is left goes. If not, it stays as it is.
  bool remove_emptied = true;

  bool changes_fields() const { return !host.empty() || time.has_value(); }
};

struct SnapshotFate {
  enum class Kind : std::uint8_t { kStays, kGoes, kBecomes } kind = Kind::kStays;
  Snapshot successor = {};  // without an id; of kBecomes only
};

// `tree`: nullopt if the tree was not looked at. The successor names `before` as its original, as with
// restic, whatever that one was made from.
SnapshotFate fate_of(const Snapshot& before, const std::optional<RewrittenTree>& tree,
                     const SnapshotEdit& edit);

}  // namespace restree
