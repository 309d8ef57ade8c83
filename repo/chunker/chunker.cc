#include "repo/chunker/chunker.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>

namespace restree {
namespace {

constexpr std::size_t kWindowBytes = WideSearch::kWindowBytes;
// Beyond the smallest size, cuts lie a mebibyte apart on average.
constexpr std::uint64_t kCutMask = (std::uint64_t{1} << WideSearch::kCutBits) - 1;

// The hash at one byte needs the hash at the byte before: some 8 cycles, most of them idle. So
// several stretches, one after the other in the file, are hashed in turns. Longer stretches cost
// more when the cut lies in one of the first; shorter ones hash more windows anew.
constexpr std::size_t kLanes = 4;
constexpr std::size_t kLaneBytes = 4096;

bool is_cut(std::uint64_t hash) { return (hash & kCutMask) == 0; }

}  // namespace

Result<Chunker> Chunker::make(std::uint64_t polynomial, Search search) {
  const unsigned degree = degree_of(polynomial);
  if (degree < 8 || degree > kChunkerDegree || !is_irreducible(polynomial)) {
    return Error(ErrorKind::kUnsupported,
                 fmt::format("the chunker polynomial {:x} is reducible, or its degree is not 8 "
                             "to {}",
                             polynomial, kChunkerDegree));
  }
  return Chunker(polynomial, search);
}

Chunker::Chunker(std::uint64_t polynomial, Search search)
    : tables_(make_rolling_tables(polynomial, kWindowBytes)), shift_(degree_of(polynomial) - 8) {
  if (search == Search::kFastest) wide_ = WideSearch::make(polynomial, tables_);
}

inline std::uint64_t Chunker::slid(std::uint64_t hash, std::byte leaving,
                                   std::byte entering) const {
  hash ^= tables_.leaving[static_cast<std::size_t>(leaving)];
  const auto carried = static_cast<std::size_t>(hash >> shift_);
  return ((hash << 8) | static_cast<std::uint64_t>(entering)) ^ tables_.reduced[carried];
}

// In restic the window holds a single 1 before 64 bytes enter, the last of which pushes it out: the
// hash is that of the bytes alone.
inline std::uint64_t Chunker::hash_of_window(const std::byte* end) const {
  std::uint64_t hash = 0;
  for (const std::byte* byte = end - kWindowBytes; byte != end; ++byte) {
    hash = slid(hash, std::byte{0}, *byte);
  }
  return hash;
}

std::optional<std::size_t> Chunker::find_cut(ByteView data, std::size_t searched) const {
  const std::size_t last = std::min(data.size(), kMaxChunkBytes);
  const std::size_t first = std::max(kMinChunkBytes, searched + 1);
  if (first <= last) {
    if (const auto cut = search(data.data(), first, last)) return cut;
  }
  if (data.size() >= kMaxChunkBytes) return kMaxChunkBytes;
  return std::nullopt;
}

std::optional<std::size_t> Chunker::search(const std::byte* data, std::size_t first,
                                           std::size_t last) const {
  for (; wide_ && first + WideSearch::kSpanBytes <= last + 1; first += WideSearch::kSpanBytes) {
    if (const auto cut = search_widely(data, first)) return cut;
  }
  if (first > last) return std::nullopt;
  for (; last - first >= kLanes * kLaneBytes; first += kLanes * kLaneBytes) {
    if (const auto cut = search_in_lanes(data, first)) return cut;
  }
  return search_in_order(data, first, last);
}

// Tries the lengths from `first` to `first + WideSearch::kSpanBytes - 1`.
std::optional<std::size_t> Chunker::search_widely(const std::byte* data, std::size_t first) const {
  // The window of length n ends with data[n - 1].
  assert(wide_);  // search() has seen it
  const auto lane = wide_->first_lane_with_cut(data + first - 1);
  if (!lane) return std::nullopt;
  const std::size_t begin = first + *lane * WideSearch::kLaneBytes;
  return search_in_order(data, begin, begin + WideSearch::kLaneBytes - 1);
}

// Tries the lengths from `first` to `first + kLanes * kLaneBytes - 1`.
std::optional<std::size_t> Chunker::search_in_lanes(const std::byte* data,
                                                    std::size_t first) const {
  static_assert(kLanes == 4, "the hashes have names, so that they stay in registers");
  const std::byte* const a_begin = data + first - 1;
  const std::byte* const b_begin = a_begin + kLaneBytes;
  const std::byte* const c_begin = b_begin + kLaneBytes;
  const std::byte* const d_begin = c_begin + kLaneBytes;
  std::uint64_t a = hash_of_window(a_begin);
  std::uint64_t b = hash_of_window(b_begin);
  std::uint64_t c = hash_of_window(c_begin);
  std::uint64_t d = hash_of_window(d_begin);
  for (std::size_t i = 0; i < kLaneBytes; ++i) {
    a = slid(a, (a_begin - kWindowBytes)[i], a_begin[i]);
    b = slid(b, (b_begin - kWindowBytes)[i], b_begin[i]);
    c = slid(c, (c_begin - kWindowBytes)[i], c_begin[i]);
    d = slid(d, (d_begin - kWindowBytes)[i], d_begin[i]);
    if (is_cut(a) || is_cut(b) || is_cut(c) || is_cut(d)) [[unlikely]] {
      const std::size_t lane = is_cut(a) ? 0 : is_cut(b) ? 1 : is_cut(c) ? 2 : 3;
      return first_cut(data, first, lane, i);
    }
  }
  return std::nullopt;
}

// All lanes have come to their byte `i`, where `lane` has met a cut. The lanes before it have met
// none so far, but the first cut may lie in the rest of them.
std::optional<std::size_t> Chunker::first_cut(const std::byte* data, std::size_t first,
                                              std::size_t lane, std::size_t i) const {
  for (std::size_t before = 0; before < lane; ++before) {
    const std::size_t start = first + before * kLaneBytes;
    if (const auto cut = search_in_order(data, start + i + 1, start + kLaneBytes - 1)) return cut;
  }
  return first + lane * kLaneBytes + i;
}

std::optional<std::size_t> Chunker::search_in_order(const std::byte* data, std::size_t first,
                                                    std::size_t last) const {
  if (first > last) return std::nullopt;
  std::uint64_t hash = hash_of_window(data + first);
  for (std::size_t length = first;; ++length) {
    if (is_cut(hash)) return length;
    if (length == last) return std::nullopt;
    hash = slid(hash, data[length - kWindowBytes], data[length]);
  }
}

}  // namespace restree
