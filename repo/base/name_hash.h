// Hashes of names that are the same in every process, for numbers that other programs remember. An
// attacker can make them collide.
#pragma once

#include <cstdint>
#include <string_view>

namespace restree {

// SplitMix64's finaliser: every bit of the input moves every bit of the result.
constexpr std::uint64_t mix64(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

constexpr std::uint64_t hash_name(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = mix64(seed + 0x9e3779b97f4a7c15);
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return mix64(hash);
}

}  // namespace restree
