// What every fuzz target defines: the function that libFuzzer, or replay_main.cc, calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "repo/base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace restree {

inline ByteView fuzz_input(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}

// A property that must hold for every input; a crash is how a fuzzer learns of it.
inline void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace restree
