// Reads the files in a cache's folder.
//
// The packs that were read most recently stay open for a moment: a small blob then costs one system
// call, where opening its pack again would cost five.
//
// Ownership: the folder must outlive it.
// Threads:   any.
// Limits:    kMostOpen files, each used for kHowLong and closed when its slot is needed. A file that another
//            process has removed meanwhile keeps its disk space until close_all(), which must be
//            called now and then.
// Errors:    none: a file that cannot be read counts as missing.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cache/cache_folder.h"
#include "repo/base/clock.h"
#include "repo/base/guarded.h"

namespace restree {

class CacheReader {
 public:
  static constexpr std::size_t kMostOpen = 4;
  static constexpr std::chrono::seconds kHowLong{1};

  using Clock = Deadline::Clock;
  // The clock; tests of kHowLong pass their own.
  using Now = std::function<Clock::time_point()>;

  explicit CacheReader(
      const CacheFolder& folder, Now now = [] { return Clock::now(); })
      : folder_(folder), now_(std::move(now)) {}

  // Sealed bytes, not verified; nullopt: not in the cache, or only partly.
  std::optional<Bytes> read(const SealedPlace& place);
  // True if read() would probably return the bytes.
  bool has(const SealedPlace& place);
  // The whole content of a file that is not a pack.
  std::optional<Bytes> read(const std::string& path) const;

  void close_all();

 private:
  struct OpenPack {
    PackId pack;
    BlobType type{};
    std::shared_ptr<const UniqueFd> fd;  // null: this slot is free
    Clock::time_point opened;
    Clock::time_point used;
  };
  struct OpenPacks {
    std::array<OpenPack, kMostOpen> all;
    std::uint64_t closings = 0;  // calls of close_all()
  };

  std::shared_ptr<const UniqueFd> open(const SealedPlace& place);
  // nullptr: the pack has to be opened; keep it open only if `OpenPacks::closings` is still
  // `closings` then.
  std::shared_ptr<const UniqueFd> find_open(const SealedPlace& place, std::uint64_t& closings)
      EXCLUDES(open_);

  const CacheFolder& folder_;
  const Now now_;
  Guarded<OpenPacks> open_;
};

}  // namespace restree
