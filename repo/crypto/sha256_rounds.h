// SHA-256's compression by the x86 instructions for it.
//
// Threads: any; pure. To be called only where has_sha_instructions() (processor.h); elsewhere they
// abort.
// Format:  FIPS 180-4; the state is its eight words, from a to h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace restree {

inline constexpr std::size_t kSha256BlockBytes = 64;
using Sha256Words = std::array<std::uint32_t, 8>;

// Takes `blocks` blocks into the state.
void compress_blocks(Sha256Words& state, const std::byte* bytes, std::size_t blocks);

struct Sha256Lane {
  Sha256Words& state;
  const std::byte* bytes;
};
// The same for two hashes in turns: each round waits for the one before it, and meanwhile the
// processor computes a round of the other hash.
void compress_blocks_of_both(const Sha256Lane& first, const Sha256Lane& second, std::size_t blocks);

}  // namespace restree
