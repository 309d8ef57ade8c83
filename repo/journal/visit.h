// What one run of a program has seen of a repository: the values that a journal is made of.
//
// Limits: texts and lists of a snapshot are cut to what kMost… says, whoever wrote them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "repo/format/id.h"
#include "repo/format/snapshot.h"

namespace restree {

// The name of a key, index or snapshot file.
using JournalId = Id<struct JournalFileTag>;

inline constexpr std::size_t kMostJournalText = 4096;
inline constexpr std::size_t kMostJournalTexts = 64;

// What the backup did, where the snapshot says so.
struct SeenFigures {
  std::int64_t ended = 0;  // seconds since 1970
  std::uint64_t files = 0;
  std::uint64_t files_new = 0;
  std::uint64_t files_changed = 0;
  std::uint64_t bytes_added = 0;
  std::uint64_t bytes_packed = 0;
  bool operator==(const SeenFigures&) const = default;
};

struct SeenSnapshot {
  JournalId id = {};
  std::int64_t time = 0;  // seconds since 1970, as the snapshot says
  JournalId tree = {};
  std::optional<JournalId> original = std::nullopt;
  bool has_parent = false;
  std::string host = {};
  std::vector<std::string> tags = {};   // sorted
  std::vector<std::string> paths = {};  // sorted
  std::optional<SeenFigures> figures = std::nullopt;
  bool operator==(const SeenSnapshot&) const = default;
};
SeenSnapshot seen_snapshot(const Snapshot& snapshot);

struct SeenConfig {
  JournalId hash = {};  // of the file as it lies in the repository
  std::uint32_t version = 0;
  bool operator==(const SeenConfig&) const = default;
};

// The files of one type.
struct SeenFiles {
  // Sorted. nullopt: this run has not listed them.
  std::optional<std::vector<JournalId>> listed = std::nullopt;
  // By this run itself.
  std::vector<JournalId> written = {};
  std::vector<JournalId> removed = {};
};

struct SeenIndex {
  std::uint64_t packs = 0;
  std::uint64_t blobs = 0;
  bool operator==(const SeenIndex&) const = default;
};

// A snapshot with files whose content is not that of the snapshot before, though size and time are.
struct SeenSilentChanges {
  JournalId snapshot = {};
  std::uint64_t files = 0;
  bool operator==(const SeenSilentChanges&) const = default;
};

// What a look at more than names has found: what is missing although something needs it, there and of no
// use, or changed without a trace.
struct SeenMissing {
  std::uint64_t packs = 0;                     // that the index names
  std::vector<JournalId> snapshots = {};       // whose root tree no index names
  std::vector<JournalId> unreadable = {};      // snapshot and index files
  std::vector<SeenSilentChanges> silent = {};  // of the snapshots that were compared this time
  bool operator==(const SeenMissing&) const = default;
  bool empty() const {
    return packs == 0 && snapshots.empty() && unreadable.empty() && silent.empty();
  }
};

struct Visit {
  std::int64_t time = 0;  // seconds since 1970 by this machine's clock
  std::string command = {};
  std::optional<SeenConfig> config = std::nullopt;
  bool wrote_config = false;
  // Of the repository that was at this address before, if that was another one.
  std::optional<RepositoryId> earlier_here = std::nullopt;
  SeenFiles keys = {};
  SeenFiles indexes = {};
  SeenFiles snapshots = {};
  std::vector<SeenSnapshot> details = {};  // of the snapshots that this run has read
  std::optional<SeenIndex> index = std::nullopt;
  std::optional<SeenMissing> missing = std::nullopt;  // nullopt: this run has not looked
};

}  // namespace restree
