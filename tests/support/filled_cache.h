// A cache on disk that surely has what a test goes on to need from it.
#pragma once

#include <functional>

#include "tests/support/mounted.h"

namespace restree::testing {

// Mounts, reads and unmounts until a mount brings nothing from the repository any more: what a busy
// disk does not take in time, a cache leaves out, and counts. A test failure if it never comes to
// that, or if something is missing that was not left out.
void fill_cache(const MountRequest& request, const std::function<void(const Mounted&)>& read);

}  // namespace restree::testing
