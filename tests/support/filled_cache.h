// A cache on disk that surely has what a test goes on to need from it.
#pragma once

#include <functional>

#include "tests/support/mounted.h"

namespace restree::testing {

// Mounts, reads and unmounts until a mount reads nothing from the repository any more: a cache
// leaves out, and counts, the bytes that a busy disk does not take in time. It is a test failure if
// mounts go on to read from the repository, or if bytes are missing that were not counted as left
// out.
void fill_cache(const MountRequest& request, const std::function<void(const Mounted&)>& read);

}  // namespace restree::testing
