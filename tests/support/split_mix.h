// Bytes that look random and are the same everywhere, from SplitMix64.
#pragma once

#include <cstddef>
#include <cstdint>

#include "repo/base/bytes.h"

namespace restree::testing {

class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}
  std::uint64_t operator()() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

// Each number as 8 bytes, the lowest first.
inline Bytes split_mix_bytes(std::uint64_t seed, std::size_t size) {
  Bytes bytes(size);
  SplitMix64 next(seed);
  for (std::size_t i = 0; i < size; i += 8) {
    const std::uint64_t word = next();
    for (std::size_t j = i; j < i + 8 && j < size; ++j) {
      bytes.data()[j] = static_cast<std::byte>(word >> (8 * (j - i)));
    }
  }
  return bytes;
}

}  // namespace restree::testing
