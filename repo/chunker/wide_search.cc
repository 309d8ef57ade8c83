#include "repo/chunker/wide_search.h"

#include <bit>
#include <cstdlib>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace restree {

#if defined(__x86_64__)

#if defined(__GNUC__) && !defined(__clang__)
// gcc's own headers initialise what need not have a value by itself.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#define RESTREE_WIDE_TARGET "avx512f,avx512bw,avx512vbmi,gfni"
#define RESTREE_WIDE [[gnu::target(RESTREE_WIDE_TARGET)]]
#define RESTREE_WIDE_INLINE [[gnu::always_inline, gnu::target(RESTREE_WIDE_TARGET)]] inline

namespace {

constexpr unsigned kScale = 56 - kChunkerDegree;
constexpr std::size_t kTileBytes = WideSearch::kLanes * 64;

// The matrix of a linear function from bytes to bytes, as the instruction wants it: the row of the
// highest bit comes first.
template <class Function>
std::uint64_t matrix_of(const Function& function) {
  std::uint64_t matrix = 0;
  for (unsigned in = 0; in < 8; ++in) {
    const auto out = static_cast<std::uint8_t>(function(std::uint8_t(1U << in)));
    for (unsigned bit = 0; bit < 8; ++bit) {
      if ((out >> bit & 1) != 0) matrix |= std::uint64_t{1} << (8 * (7 - bit) + in);
    }
  }
  return matrix;
}

// rows[i]'s word j becomes rows[j]'s word i.
RESTREE_WIDE_INLINE void transpose_words(__m512i (&rows)[8]) {
  __m512i pairs[8];
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm512_unpacklo_epi64(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi64(rows[i], rows[i + 1]);
  }
  __m512i fours[8];
  for (int half = 0; half < 8; half += 4) {
    for (int i = 0; i < 2; ++i) {
      const __m512i low = pairs[half + i];
      const __m512i high = pairs[half + i + 2];
      fours[half + i] = _mm512_shuffle_i64x2(low, high, 0x88);
      fours[half + i + 2] = _mm512_shuffle_i64x2(low, high, 0xDD);
    }
  }
  for (int i = 0; i < 4; ++i) {
    // Word i, or i + 4, of rows 0 to 3 beside that of rows 4 to 7.
    rows[i] = _mm512_shuffle_i64x2(fours[i], fours[i + 4], 0x88);
    rows[i + 4] = _mm512_shuffle_i64x2(fours[i], fours[i + 4], 0xDD);
  }
}

// The next 64 bytes of each lane, so that the first bytes of all lanes are the first 64 of the
// tile.
RESTREE_WIDE void transpose(const std::byte* from, std::byte* tile) {
  alignas(64) std::byte half_done[kTileBytes];
  alignas(64) static constexpr std::uint8_t kTransposed[64] = {
      0,  8,  16, 24, 32, 40, 48, 56, 1,  9,  17, 25, 33, 41, 49, 57, 2,  10, 18, 26, 34, 42,
      50, 58, 3,  11, 19, 27, 35, 43, 51, 59, 4,  12, 20, 28, 36, 44, 52, 60, 5,  13, 21, 29,
      37, 45, 53, 61, 6,  14, 22, 30, 38, 46, 54, 62, 7,  15, 23, 31, 39, 47, 55, 63};
  const __m512i transposed = _mm512_load_si512(kTransposed);
  __m512i rows[8];
  for (std::size_t eight = 0; eight < 8; ++eight) {
    for (std::size_t i = 0; i < 8; ++i) {
      rows[i] = _mm512_loadu_si512(from + (8 * eight + i) * WideSearch::kLaneBytes);
    }
    transpose_words(rows);
    for (std::size_t i = 0; i < 8; ++i) {
      _mm512_store_si512(half_done + (8 * i + eight) * 64,
                         _mm512_permutexvar_epi8(transposed, rows[i]));
    }
  }
  for (std::size_t eight = 0; eight < 8; ++eight) {
    for (std::size_t i = 0; i < 8; ++i) {
      rows[i] = _mm512_load_si512(half_done + (8 * eight + i) * 64);
    }
    transpose_words(rows);
    for (std::size_t i = 0; i < 8; ++i) {
      _mm512_store_si512(tile + (8 * eight + i) * 64, rows[i]);
    }
  }
}

RESTREE_WIDE_INLINE __m512i product(__m512i bytes, __m512i matrix) {
  return _mm512_gf2p8affine_epi64_epi8(bytes, matrix, 0);
}

RESTREE_WIDE_INLINE __m512i sum(__m512i a, __m512i b, __m512i c) {
  return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

bool is_possible() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vbmi") != 0 && __builtin_cpu_supports("gfni") != 0;
}

}  // namespace

struct WideSearch::Hashes {
  __m512i bytes[kHashBytes];
  __m512i least;  // of the bits that are zero at a cut, gathered in a byte: zero once there was one
};

std::optional<WideSearch> WideSearch::make(std::uint64_t polynomial, const RollingTables& tables) {
  if (degree_of(polynomial) != kChunkerDegree || !is_possible()) return std::nullopt;
  return WideSearch(tables);
}

WideSearch::WideSearch(const RollingTables& tables) {
  constexpr unsigned kShift = kChunkerDegree - 8;
  for (std::size_t i = 0; i < kHashBytes; ++i) {
    const auto byte_of = [i](std::uint64_t hash) { return hash << kScale >> (8 * i); };
    reduced_[i] = matrix_of([&](std::uint8_t top) { return byte_of(tables.reduced[top]); });
    leaving_[i] = matrix_of([&](std::uint8_t byte) {
      const std::uint64_t hash = tables.leaving[byte];
      return byte_of((hash << 8) ^ tables.reduced[hash >> kShift]);
    });
  }
  for (std::size_t i = 0; i < entering_.size(); ++i) {
    entering_[i] =
        matrix_of([i](std::uint8_t byte) { return std::uint64_t{byte} << kScale >> (8 * i); });
  }
}

// 64 steps. Not full: the windows are only being filled, so nothing leaves and nothing is a cut.
template <bool kIsFull>
RESTREE_WIDE_INLINE void WideSearch::pass_tile(const std::byte* entering, const std::byte* leaving,
                                               Hashes& hashes) const {
  __m512i reduced[kHashBytes];
  __m512i left[kHashBytes];
  for (std::size_t i = 0; i < kHashBytes; ++i) {
    reduced[i] = _mm512_set1_epi64(static_cast<long long>(reduced_[i]));
    left[i] = _mm512_set1_epi64(static_cast<long long>(leaving_[i]));
  }
  const __m512i entered[] = {_mm512_set1_epi64(static_cast<long long>(entering_[0])),
                             _mm512_set1_epi64(static_cast<long long>(entering_[1]))};
  const __m512i low_bits = _mm512_set1_epi8((1 << (kCutBits + kScale - 16)) - 1);
  Hashes now = hashes;
  for (std::size_t step = 0; step < kTileBytes; step += kLanes) {
    const __m512i in = _mm512_load_si512(entering + step);
    const __m512i out = kIsFull ? _mm512_load_si512(leaving + step) : _mm512_setzero_si512();
    const __m512i top = now.bytes[kHashBytes - 1];
    for (std::size_t i = kHashBytes - 1; i > 0; --i) {
      now.bytes[i] = sum(now.bytes[i - 1], product(top, reduced[i]), product(out, left[i]));
    }
    now.bytes[1] = _mm512_xor_si512(now.bytes[1], product(in, entered[1]));
    now.bytes[0] = sum(product(top, reduced[0]), product(out, left[0]), product(in, entered[0]));
    if constexpr (kIsFull) {
      const __m512i high = _mm512_or_si512(now.bytes[0], now.bytes[1]);
      // (bytes[2] & low_bits) | high
      now.least =
          _mm512_min_epu8(now.least, _mm512_ternarylogic_epi64(now.bytes[2], low_bits, high, 0xEA));
    }
  }
  hashes = now;
}

RESTREE_WIDE std::optional<std::size_t> WideSearch::first_lane_with_cut(
    const std::byte* begin) const {
  alignas(64) std::byte tiles[2][kTileBytes];
  Hashes hashes;
  for (__m512i& byte : hashes.bytes) byte = _mm512_setzero_si512();
  hashes.least = _mm512_set1_epi8(-1);
  transpose(begin - kWindowBytes, tiles[0]);
  pass_tile<false>(tiles[0], nullptr, hashes);
  for (std::size_t tile = 0; tile < kLaneBytes / kWindowBytes; ++tile) {
    std::byte* const entering = tiles[(tile + 1) % 2];
    transpose(begin + tile * kWindowBytes, entering);
    pass_tile<true>(entering, tiles[tile % 2], hashes);
  }
  const std::uint64_t lanes = _mm512_testn_epi8_mask(hashes.least, hashes.least);
  if (lanes == 0) return std::nullopt;
  return static_cast<std::size_t>(std::countr_zero(lanes));
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#else

std::optional<WideSearch> WideSearch::make(std::uint64_t, const RollingTables&) {
  return std::nullopt;
}
std::optional<std::size_t> WideSearch::first_lane_with_cut(const std::byte*) const { std::abort(); }

#endif

}  // namespace restree
