// One entry of a journal: what has changed since the entry before it.
//
//   entry    := version:u8 (1 or 2) kind:u8 time:i64le command:text config? earlier:id? files files files
//               details:list(snapshot) flags:u8 index? missing?
//   files    := listed:u8 list(id) added, list(id) gone, list(id) written, list(id) removed
//   snapshot := id time:i64le tree:id original:id? has_parent:u8 host:text list(text) tags,
//               list(text) paths, figures?
//   missing  := packs:u64 list(id) snapshots, list(id) unreadable, and in version 2 list(silent)
//   silent   := id files:u64
//   X?       := 0:u8 | 1:u8 X        list(X) := count:u32le X*        text := length:u32le byte*
//
// Pure functions of values; any thread.
// Errors: kCorrupt: the bytes are not of that form, or a text or list is longer than it may be.
//         kUnsupported: a later version has written them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/journal/visit.h"

namespace restree {

enum class EntryKind : std::uint8_t {
  kVisit = 1,
  // A run of ours is about to remove files of the types that are `listed`, and may be killed before
  // it says which.
  kRemoving = 2,
  kAccepted = 3,  // somebody has looked at all that was found up to here
  kFrom = 4,      // the entries before were condensed: all that was known, with the times of before
};

// The files of one type since the entry before.
struct FileChanges {
  bool listed = false;
  std::vector<JournalId> added = {};
  std::vector<JournalId> gone = {};
  std::vector<JournalId> written = {};  // of these, by the run itself
  std::vector<JournalId> removed = {};
  bool empty() const { return added.empty() && gone.empty() && written.empty() && removed.empty(); }
  bool operator==(const FileChanges&) const = default;
};

// Of an entry kFrom: when the file of the same place in `added`, or behind these in `gone`, came and
// went.
struct FileTimes {
  std::int64_t first_seen = 0;
  std::int64_t unseen_until = 0;  // kNoTime: since when it is there is not known
  std::int64_t gone = 0;          // kNoTime: it is there
  bool is_own = false;
  bool operator==(const FileTimes&) const = default;
};
inline constexpr std::int64_t kNoTime = INT64_MIN;

// How far the clocks of two machines may differ, and how long a backup may take.
inline constexpr std::int64_t kClockToleranceSeconds = 24 * 3600;

struct JournalEntry {
  EntryKind kind = EntryKind::kVisit;
  std::int64_t time = 0;
  std::string command = {};
  std::optional<SeenConfig> config = std::nullopt;  // if it has changed
  bool wrote_config = false;
  std::optional<RepositoryId> earlier_here = std::nullopt;
  FileChanges keys = {};
  FileChanges indexes = {};
  FileChanges snapshots = {};
  std::vector<SeenSnapshot> details = {};  // of snapshots that had none before
  std::optional<SeenIndex> index = std::nullopt;
  std::optional<SeenMissing> missing = std::nullopt;
  std::vector<FileTimes> times =
      {};  // kFrom only: of keys, indexes, snapshots, one after the other
  bool operator==(const JournalEntry&) const = default;
};

std::string write_journal_entry(const JournalEntry& entry);
Result<JournalEntry> parse_journal_entry(ByteView bytes);

}  // namespace restree
