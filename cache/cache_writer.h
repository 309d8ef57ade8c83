// Changes the files in a cache's folder, within its limits; one writer at a time among all
// processes.
//
// Ownership: the folder must outlive it. Threads: one.
// Limits:    the cache never takes more than `size_bytes`, however many processes write to it, and
//            never grows if less than CacheLimits demands would stay free on its disk.
// Errors:    as CacheUsage's. kLocalIo also: the disk is full, or nearly so. Parts that could not
//            be written are not cached; what was cached before stays usable.
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
  // `on_removal` is called after files were removed and before anything is written in their place.
  // It must close them: their disk space is free only once no descriptor holds them open.
  CacheWriter(const CacheFolder& folder, CacheLimits limits, std::function<void()> on_removal)
      : folder_(folder), limits_(limits), on_removal_(std::move(on_removal)), usage_(folder) {}

  struct Written {
    std::uint64_t bytes = 0;          // of the parts that were written
    std::uint64_t evicted_bytes = 0;  // on the disk
    std::uint64_t dropped = 0;        // parts for which there was no room
  };
  Result<Written> write(std::vector<KeptPart> parts);

  // Removes the files of the folder for whose names `is_wanted` returns false.
  template <class IsWanted>
  Status retain(const char* folder, IsWanted is_wanted) {
    std::vector<std::string> unwanted;
    for (std::string& name : folder_.names_in(folder)) {
      if (!is_wanted(name)) unwanted.push_back(std::string(folder) + "/" + name);
    }
    return unwanted.empty() ? Status() : remove(unwanted);
  }
  // Removes this file, if it is there.
  Status forget(const std::string& path) { return remove({path}); }
  // Adds to the cache's counts of hits and misses; written at the next turn.
  void note_lookups(std::uint64_t hits, std::uint64_t misses) {
    hits_ += hits;
    misses_ += misses;
  }
  // Lets `write` fill a new file of at most `most_bytes`, then renames it to `name`. Takes one turn
  // before `write` and one after, none during it. False: the file would be too large a part of the
  // limit, there is no room, or another process is writing it just now. Errors: also those of
  // `write`.
  Result<bool> replace(const std::string& name, std::uint64_t most_bytes,
                       const std::function<Status(int fd)>& write);
  // From now on these packs are not evicted. kInvalid: all pinned packs, together with the files
  // that are never evicted, would exceed the limit.
  Status pin(const std::string& snapshot, const PinnedPacks& packs);
  // Evicts what exceeds `size_bytes`: the limit may have been larger when it was written.
  // Returns how many bytes became free.
  Result<std::uint64_t> shrink();
  // Writes the noted hits and misses, in a turn of its own.
  Status write_lookups();
  // Replaces a small file that does not count towards the limit.
  Status write_note(const std::string& name, std::string_view content);

 private:
  // After the cache had no room for a part, the folder is not searched for files to evict again for
  // this long, unless a smaller part needs room.
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
  CacheCounts counts_;  // valid during our turn
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
