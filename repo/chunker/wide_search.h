// The search for cuts in 64 stretches at once, on processors with AVX-512 and instructions for
// GF(2).
//
// One step of the rolling hash is linear over GF(2). So the hashes of the stretches lie in vectors
// by their bytes, the first bytes of all in one vector and so on, and a step is a product of each
// byte with 8 by 8 bits instead of a look into a table.
//
// Threads: any; it never changes. Limits: 8 KiB of stack.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "repo/chunker/polynomial.h"

namespace restree {

class WideSearch {
 public:
  static constexpr std::size_t kLanes = 64;
  static constexpr std::size_t kLaneBytes = 1024;
  static constexpr std::size_t kSpanBytes = kLanes * kLaneBytes;
  static constexpr std::size_t kWindowBytes = 64;

  // nullopt: the processor has no such instructions, or the degree is not kChunkerDegree.
  static std::optional<WideSearch> make(std::uint64_t polynomial, const RollingTables& tables);

  // The first of the lanes in which the lowest `kCutBits` bits of a hash are all zero. Lane i has
  // the hashes of the windows that end with one of the bytes from begin[i * kLaneBytes] on. The
  // kWindowBytes before `begin` are read, too.
  static constexpr unsigned kCutBits = 20;
  std::optional<std::size_t> first_lane_with_cut(const std::byte* begin) const;

 private:
  // A hash times x^3, so that the eight bits that a step reduces are one of its bytes.
  static constexpr std::size_t kHashBytes = 7;
  using Matrix = std::uint64_t;
  struct Hashes;

  explicit WideSearch(const RollingTables& tables);
  template <bool kIsFull>
  void pass_tile(const std::byte* entering, const std::byte* leaving, Hashes& hashes) const;

  // What the highest byte, the byte that leaves, and the one that enters add to each byte.
  std::array<Matrix, kHashBytes> reduced_;
  std::array<Matrix, kHashBytes> leaving_;
  std::array<Matrix, 2> entering_;
};

}  // namespace restree
