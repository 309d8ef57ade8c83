// The options of a restore, and what it reports while it runs.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"

namespace restree {

// What is done with files that exist in the target.
enum class Overwrite : std::uint8_t {
  kAlways,     // content is compared, and what differs is written
  kIfChanged,  // the same, but a file whose size and mtime match is taken for right, unread
  kIfNewer,    // only a file that is older than the backup's is touched
  kNever,      // existing files stay as they are
};

// What becomes of a new file of which only a part can be read.
enum class Incomplete : std::uint8_t {
  kKeepParts,      // what could be read stays, and may end early
  kFillWithZeros,  // the same at its full size: what is missing reads as zeros
  kLeaveOut,       // it is not made
};

// What a filter says of an item of the snapshot.
struct SelectVerdict {
  bool selected;  // restore the item itself
  bool children;  // of a folder: something below it may be selected
};
// `location` is the path in the snapshot, from "/" on.
using Select = std::function<SelectVerdict(const std::string& location, bool is_folder)>;

struct RestoreOptions {
  Overwrite overwrite = Overwrite::kAlways;
  bool dry_run = false;
  bool sparse = false;             // stretches of zeros become holes
  bool remove_unexpected = false;  // what is in the target and not in the snapshot
  bool ownership_by_name = false;
  Incomplete incomplete = Incomplete::kKeepParts;
  Select select;                                       // empty: everything
  std::function<bool(std::string_view)> select_xattr;  // by name; empty: all of them
  bool tell_items = false;                             // RestoreListener::item is wanted
  // The memory for the list of all that is restored; nullopt: half of what this process may have.
  std::optional<std::uint64_t> plan_bytes;
  std::size_t threads = 4;
  std::chrono::seconds patience{900};  // for each request to the storage
  std::stop_token stop;
};

// Bytes of a file.
struct LostRange {
  std::uint64_t begin;
  std::uint64_t end;  // behind the last one
  bool operator==(const LostRange&) const = default;
};

enum class RestoreAction : std::uint8_t { kRestored, kUpdated, kUnchanged, kDeleted };
enum class RestoredKind : std::uint8_t { kFile, kOther };  // only files have a size

// Called from several threads at once.
class RestoreListener {
 public:
  virtual ~RestoreListener() = default;
  virtual void item(RestoreAction action, RestoredKind kind, const std::string& location,
                    std::uint64_t size) = 0;
  // The content of a file that could not be read, in order; said before error() of the same file.
  virtual void lost(const std::string& /*location*/, std::uint64_t /*size*/,
                    const std::vector<LostRange>& /*ranges*/) {}
  // One item could not be restored as it should; the rest goes on.
  virtual void error(const std::string& location, const Error& error) = 0;
};

// Counted as restic counts; read at any time.
struct RestoreFigures {
  std::atomic<std::uint64_t> items_total = 0;
  std::atomic<std::uint64_t> items_restored = 0;
  std::atomic<std::uint64_t> items_skipped = 0;
  std::atomic<std::uint64_t> items_deleted = 0;
  std::atomic<std::uint64_t> bytes_total = 0;
  std::atomic<std::uint64_t> bytes_restored = 0;
  std::atomic<std::uint64_t> bytes_skipped = 0;
  std::atomic<std::uint64_t> errors = 0;
};

}  // namespace restree
