// Reads what lies in a cache's folder.
//
// The packs that were read from last stay open for a moment: a small blob costs one call to the
// system, where opening its pack anew would cost five.
//
// Ownership: the folder must outlive it.
// Threads:   any.
// Limits:    kMostOpen files, each for kHowLong and then until a later call. What others have
//            removed meanwhile takes its place on the disk until close_all(), which is to be called
//            now and then.
// Errors:    none: what cannot be read is not there.
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
  // What time it is: a test's own for tests of kHowLong.
  using Now = std::function<Clock::time_point()>;

  explicit CacheReader(
      const CacheFolder& folder, Now now = [] { return Clock::now(); })
      : folder_(folder), now_(std::move(now)) {}

  // Sealed bytes that may be right; nullopt: there is a hole, or nothing.
  std::optional<Bytes> read(const SealedPlace& place);
  // True if read() would probably give it.
  bool has(const SealedPlace& place);
  // All of a file that is no pack.
  std::optional<Bytes> read(const std::string& path) const;

  void close_all();

 private:
  struct OpenPack {
    PackId pack;
    BlobType type{};
    std::shared_ptr<const UniqueFd> fd;  // null: free
    Clock::time_point opened;
    Clock::time_point used;
  };
  struct OpenPacks {
    std::array<OpenPack, kMostOpen> all;
    std::uint64_t closings = 0;
  };

  std::shared_ptr<const UniqueFd> open(const SealedPlace& place);
  // nullptr: it has to be opened, and kept open only if there was no closing since `closings`.
  std::shared_ptr<const UniqueFd> find_open(const SealedPlace& place, std::uint64_t& closings);

  const CacheFolder& folder_;
  const Now now_;
  Guarded<OpenPacks> open_;
};

}  // namespace restree
