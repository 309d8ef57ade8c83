#include "repo/crypto/sha256_rounds.h"

#include <cstdlib>

#if defined(__x86_64__)
#include <immintrin.h>

#include <utility>
#endif

namespace restree {

#if defined(__x86_64__)

namespace {

#define RESTREE_SHA [[gnu::target("sha,sse4.1,ssse3")]]
#define RESTREE_SHA_INLINE [[gnu::always_inline, gnu::target("sha,sse4.1,ssse3")]] inline

constexpr std::size_t kGroups = 16;  // of four rounds each

alignas(16) constexpr std::array<std::uint32_t, 4 * kGroups> kConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// The state as the instructions want it, and the last sixteen words of the message schedule.
struct Lane {
  __m128i abef;
  __m128i cdgh;
  __m128i words[4];
};

RESTREE_SHA_INLINE __m128i load(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

RESTREE_SHA_INLINE void load_state(Lane& lane, const Sha256Words& state) {
  const __m128i cdab = _mm_shuffle_epi32(load(state.data()), 0xB1);
  const __m128i efgh = _mm_shuffle_epi32(load(state.data() + 4), 0x1B);
  lane.abef = _mm_alignr_epi8(cdab, efgh, 8);
  lane.cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
}

RESTREE_SHA_INLINE void store_state(const Lane& lane, Sha256Words& state) {
  const __m128i feba = _mm_shuffle_epi32(lane.abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(lane.cdgh, 0xB1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data()), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data() + 4), _mm_alignr_epi8(dchg, feba, 8));
}

template <std::size_t kGroup>
RESTREE_SHA_INLINE void four_rounds(Lane& lane, const std::byte* block) {
  __m128i& words = lane.words[kGroup % 4];
  if constexpr (kGroup < 4) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    words = _mm_shuffle_epi8(load(block + 16 * kGroup), big_endian);
  } else {
    const __m128i last = lane.words[(kGroup + 3) % 4];
    const __m128i seven_before = _mm_alignr_epi8(last, lane.words[(kGroup + 2) % 4], 4);
    words = _mm_sha256msg1_epu32(words, lane.words[(kGroup + 1) % 4]);
    words = _mm_sha256msg2_epu32(_mm_add_epi32(words, seven_before), last);
  }
  const __m128i sum = _mm_add_epi32(words, load(kConstants.data() + 4 * kGroup));
  lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, sum);
  lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, _mm_shuffle_epi32(sum, 0x0E));
}

template <std::size_t... kGroup>
RESTREE_SHA_INLINE void all_rounds(Lane& lane, const std::byte* block,
                                   std::index_sequence<kGroup...>) {
  const __m128i abef = lane.abef;
  const __m128i cdgh = lane.cdgh;
  (four_rounds<kGroup>(lane, block), ...);
  lane.abef = _mm_add_epi32(lane.abef, abef);
  lane.cdgh = _mm_add_epi32(lane.cdgh, cdgh);
}

template <std::size_t... kGroup>
RESTREE_SHA_INLINE void all_rounds_of_both(Lane& first, const std::byte* first_block, Lane& second,
                                           const std::byte* second_block,
                                           std::index_sequence<kGroup...>) {
  const __m128i before[] = {first.abef, first.cdgh, second.abef, second.cdgh};
  ((four_rounds<kGroup>(first, first_block), four_rounds<kGroup>(second, second_block)), ...);
  first.abef = _mm_add_epi32(first.abef, before[0]);
  first.cdgh = _mm_add_epi32(first.cdgh, before[1]);
  second.abef = _mm_add_epi32(second.abef, before[2]);
  second.cdgh = _mm_add_epi32(second.cdgh, before[3]);
}

}  // namespace

RESTREE_SHA void compress_blocks(Sha256Words& state, const std::byte* bytes, std::size_t blocks) {
  Lane lane;
  load_state(lane, state);
  for (; blocks > 0; --blocks, bytes += kSha256BlockBytes) {
    all_rounds(lane, bytes, std::make_index_sequence<kGroups>());
  }
  store_state(lane, state);
}

RESTREE_SHA void compress_blocks_of_both(const Sha256Lane& first, const Sha256Lane& second,
                                         std::size_t blocks) {
  Lane one;
  Lane other;
  load_state(one, first.state);
  load_state(other, second.state);
  for (std::size_t at = 0; at < blocks * kSha256BlockBytes; at += kSha256BlockBytes) {
    all_rounds_of_both(one, first.bytes + at, other, second.bytes + at,
                       std::make_index_sequence<kGroups>());
  }
  store_state(one, first.state);
  store_state(other, second.state);
}

#else

void compress_blocks(Sha256Words&, const std::byte*, std::size_t) { std::abort(); }
void compress_blocks_of_both(const Sha256Lane&, const Sha256Lane&, std::size_t) { std::abort(); }

#endif

}  // namespace restree
