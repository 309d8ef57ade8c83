#include "repo/crypto/scrypt_lane.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace restree {
namespace {

// Four words of Salsa20's sixteen. Compilers make of it what the processor has: SSE2, NEON, or one
// word after the other. Handed on by reference, since how it is passed by value differs with that.
using Words = std::uint32_t __attribute__((vector_size(16)));

constexpr std::size_t kWordsOfVector = 4;
constexpr std::size_t kVectorsOfBlock = 4;

// Which word of a block lies at which place of its vectors. The first vector holds the diagonal, so
// that a round needs no more than a turn of three vectors by a word each.
constexpr std::array<std::size_t, kWordsOfVector* kVectorsOfBlock> kOrder = {
    0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11};

std::uint32_t little_endian(std::uint32_t word) {
  if constexpr (std::endian::native == std::endian::little) return word;
  return __builtin_bswap32(word);
}

template <unsigned kBits>
[[gnu::always_inline]] inline void mix_in(Words& to, const Words& first, const Words& second) {
  const Words sum = first + second;
  to ^= (sum << kBits) | (sum >> (32 - kBits));
}

template <int kBy>
[[gnu::always_inline]] inline void turn(Words& words) {
  words =
      __builtin_shufflevector(words, words, kBy % 4, (kBy + 1) % 4, (kBy + 2) % 4, (kBy + 3) % 4);
}

// Salsa20/8 of section 3.
[[gnu::always_inline]] inline void salsa(Words* block) {
  Words a = block[0];
  Words b = block[1];
  Words c = block[2];
  Words d = block[3];
  for (int double_rounds = 4; double_rounds > 0; --double_rounds) {
    mix_in<7>(b, a, d);
    mix_in<9>(c, b, a);
    mix_in<13>(d, c, b);
    mix_in<18>(a, d, c);
    turn<3>(b);
    turn<2>(c);
    turn<1>(d);
    mix_in<7>(d, a, b);
    mix_in<9>(c, d, a);
    mix_in<13>(b, c, d);
    mix_in<18>(a, b, c);
    turn<1>(b);
    turn<2>(c);
    turn<3>(d);
  }
  block[0] += a;
  block[1] += b;
  block[2] += c;
  block[3] += d;
}

// scryptBlockMix of section 4 from `in`, or from `in` ^ `entry`, to `out`.
template <bool kWithEntry>
[[gnu::always_inline]] inline void mix_blocks(const Words* in, const Words* entry, Words* out,
                                              std::size_t r) {
  const auto add = [&](Words* to, std::size_t block) {
    for (std::size_t i = 0; i < kVectorsOfBlock; ++i) {
      to[i] ^= in[block * kVectorsOfBlock + i];
      if constexpr (kWithEntry) to[i] ^= entry[block * kVectorsOfBlock + i];
    }
  };
  Words x[kVectorsOfBlock] = {};
  add(x, 2 * r - 1);
  for (std::size_t block = 0; block < 2 * r; ++block) {
    add(x, block);
    salsa(x);
    // Those at even places first, then those at odd ones.
    Words* const to = out + (block / 2 + block % 2 * r) * kVectorsOfBlock;
    std::copy_n(x, kVectorsOfBlock, to);
  }
}

std::uint32_t& word_at(Words* vectors, std::size_t block, std::size_t place) {
  return reinterpret_cast<std::uint32_t*>(vectors + block * kVectorsOfBlock)[place];
}

}  // namespace

void mix_scrypt_lane(MutableByteView lane, MutableByteView table, std::uint64_t n, std::uint32_t r,
                     ScryptTable kept) {
  const std::uint64_t left_out = kept == ScryptTable::kHalf ? 1 : 0;  // behind each that is kept
  constexpr std::size_t kBlockWords = kOrder.size();
  const std::size_t vectors = 2 * kVectorsOfBlock * r;
  Words* const entries = reinterpret_cast<Words*>(table.data());
  Words* x = entries + (left_out == 1 ? (n + 1) / 2 : n) * vectors;
  Words* y = x + vectors;
  Words* const between = y + vectors;
  for (std::size_t i = 0; i < 2 * std::size_t{r} * kBlockWords; ++i) {
    std::uint32_t word = 0;
    std::memcpy(
        &word,
        lane.data() + (i / kBlockWords * kBlockWords + kOrder[i % kBlockWords]) * sizeof(word),
        sizeof(word));
    word_at(x, i / kBlockWords, i % kBlockWords) = little_endian(word);
  }
  for (std::uint64_t i = 0; i < n; ++i) {
    if ((i & left_out) == 0) std::copy_n(x, vectors, entries + (i >> left_out) * vectors);
    mix_blocks<false>(x, nullptr, y, r);
    std::swap(x, y);
  }
  for (std::uint64_t i = 0; i < n; ++i) {
    // The first word of the last block; N is below 2^32.
    const std::uint64_t at = word_at(x, 2 * std::size_t{r} - 1, 0) & (n - 1);
    const Words* entry = entries + (at >> left_out) * vectors;
    if ((at & left_out) != 0) {
      mix_blocks<false>(entry, nullptr, between, r);
      entry = between;
    }
    mix_blocks<true>(x, entry, y, r);
    std::swap(x, y);
  }
  for (std::size_t i = 0; i < 2 * std::size_t{r} * kBlockWords; ++i) {
    const std::uint32_t word = little_endian(word_at(x, i / kBlockWords, i % kBlockWords));
    std::memcpy(
        lane.data() + (i / kBlockWords * kBlockWords + kOrder[i % kBlockWords]) * sizeof(word),
        &word, sizeof(word));
  }
}

}  // namespace restree
