// Which packs of a repository a check reads: restic's --read-data-subset, and by when they were read
// last.
//
// Pure functions of values; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "repo/format/id.h"

namespace restree {

struct PackSubset {
  // kOldestBytes, kOldestTime: those that were not read for longest, the first of them first.
  enum class Kind { kAll, kGroup, kPercent, kBytes, kOldestBytes, kOldestTime } kind = Kind::kAll;
  std::uint32_t group = 1;
  std::uint32_t groups = 1;
  double percent = 100;
  std::uint64_t bytes = 0;
  std::chrono::nanoseconds time{0};  // no pack is begun after it

  static constexpr std::string_view kOldest = "oldest:";

  bool is_by_age() const { return kind == Kind::kOldestBytes || kind == Kind::kOldestTime; }

  // "2/10", "2.5%", "500M", "oldest:5G". kInvalid.
  static Result<PackSubset> parse(std::string_view text);
};

struct PackToRead {
  std::uint32_t number;  // in the index
  PackId id;
  std::uint64_t size_bytes;
  std::optional<std::int64_t> last_read = std::nullopt;  // seconds since 1970; nullopt: never
};

// Those to read, in the order in which they are to be read. At least one, if there is one in the
// group. `seed`: for the kinds that draw lots.
std::vector<PackToRead> choose_packs(const PackSubset& subset, std::vector<PackToRead> packs,
                                     std::uint64_t seed);

}  // namespace restree
