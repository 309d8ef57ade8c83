// The ways in which programs read from a mount, each of them compared with a manifest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/soak/manifest.h"
#include "tests/support/split_mix.h"

namespace restree::testing {

struct Reading {
  std::uint64_t bytes = 0;  // that were read and compared
  std::string wrong = {};   // what was read and is not what was saved
  std::string error = {};   // what could not be read
};

// A way to read something of the folder `shown`, of which `manifest` is; `random` chooses what.
struct Reader {
  const char* name;
  Reading (*read)(const std::filesystem::path& shown, const Manifest& manifest, SplitMix64& random);
};

// read(2), pread(2) in random pieces, mmap(2), cat, cp -a, tar, find.
const std::vector<Reader>& readers();

// Every name and every byte, by read(2), from the mount rather than from the kernel's memory.
Reading read_all(const std::filesystem::path& shown, const Manifest& manifest);

}  // namespace restree::testing
