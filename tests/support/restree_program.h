// The program restree, on a repository that the real restic made.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/restic.h"

namespace restree::testing {

// RESTREE_PATH is defined by the build.
inline Command restree_command(const Restic& restic, std::vector<std::string> words) {
  words.insert(words.begin(), RESTREE_PATH);
  return {.argv = std::move(words), .env = restic.environment()};
}

inline Finished run_restree(const Restic& restic, std::vector<std::string> words) {
  return run(restree_command(restic, std::move(words)));
}

}  // namespace restree::testing
