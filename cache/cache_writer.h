// Changes what lies in a cache's folder, within its limits; one writer at a time among all.
//
// Ownership: the folder must outlive it. Threads: one.
// Limits:    the cache never takes more than `size_bytes`, however many processes write to it, nor
//            grows where less than the least would be free on its disk.
// Errors:    as CacheUsage's. kLocalIo also: the disk is full, or nearly so. What was not written
//            is not cached, and nothing else is the worse for it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cache/cache_folder.h"
#include "cache/cache_limits.h"
#include "cache/cache_pins.h"
#include "cache/cache_usage.h"
#include "repo/base/bytes.h"
#include "repo/base/clock.h"

namespace restree {

// Bytes for a cache to keep.
struct KeptPart {
  CachedKind kind;
  std::string path;
  std::uint64_t offset;
  Bytes bytes;
};

class CacheWriter {
 public:
  // `on_removal` is called after files were removed and before anything is written in their place:
  // the disk has their space only once nobody holds them open.
  CacheWriter(const CacheFolder& folder, CacheLimits limits, std::function<void()> on_removal)
      : folder_(folder), limits_(limits), on_removal_(std::move(on_removal)), usage_(folder) {}

  struct Written {
    std::uint64_t bytes = 0;          // of parts that were kept
    std::uint64_t evicted_bytes = 0;  // on the disk
    std::uint64_t dropped = 0;        // parts for which there was no room
  };
  Result<Written> write(std::vector<KeptPart> parts);

  // Removes the files of the folder whose names `is_wanted` denies.
  template <class IsWanted>
  Status retain(const char* folder, IsWanted is_wanted) {
    std::vector<std::string> unwanted;
    for (std::string& name : folder_.names_in(folder)) {
      if (!is_wanted(name)) unwanted.push_back(std::string(folder) + "/" + name);
    }
    return unwanted.empty() ? Status() : remove(unwanted);
  }
  // To be added to what the cache's users have found, and not found, at the next turn.
  void note_lookups(std::uint64_t hits, std::uint64_t misses) {
    hits_ += hits;
    misses_ += misses;
  }
  // Has `write` fill a file, of `most_bytes` at most, that then takes the place of the one of that
  // name; takes a turn before and after it, none meanwhile. False: it is too large a part of the
  // limit, there is no room, or another process writes it just now. Errors also those of `write`.
  Result<bool> replace(const std::string& name, std::uint64_t most_bytes,
                       const std::function<Status(int fd)>& write);
  // From now on these packs are not evicted. kInvalid: all that is pinned, and what has to be there
  // beside it, would be more than the limit.
  Status pin(const std::string& snapshot, const PinnedPacks& packs);
  // Takes a turn for that alone.
  Status write_lookups();
  // Replaces a small file that does not count.
  Status write_note(const std::string& name, std::string_view content);

 private:
  // After there was no room for something, the folder is not looked through again for so long for
  // the sake of anything as large.
  static constexpr std::chrono::seconds kFullFor{10};

  Result<CacheUsage::Turn> take_turn() {
    return usage_.take_turn(Deadline::after(limits_.turn_patience));
  }
  Status write_file(std::span<const KeptPart> parts, CacheUsage::Turn& turn);
  Result<UniqueFd> begin_draft(const std::string& draft, std::uint64_t most_bytes);
  Result<bool> make_room(CachedKind kind, std::uint64_t needed_bytes);
  std::vector<CachedFile> scan_with_pins() const;
  void evict(const std::vector<CachedFile>& files);
  Status remove(const std::vector<std::string>& paths);
  CacheCounts counts_of(const CacheUsage::Turn& turn);

  const CacheFolder& folder_;
  const CacheLimits limits_;
  const std::function<void()> on_removal_;
  CacheUsage usage_;
  CacheCounts counts_;  // while it is our turn
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
  Written written_;
  struct Full {
    Deadline::Clock::time_point until{};
    std::uint64_t for_bytes = 0;
  };
  std::array<Full, 3> full_{};  // by kind
};

}  // namespace restree
