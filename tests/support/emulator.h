// What qemu-user, which runs the tests of a build for another processor, cannot run.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace restree::testing {

// Whether qemu-user runs this process: the kernel then calls it by the name of qemu's program.
inline bool is_emulated() {
  std::ifstream file("/proc/self/comm");
  std::string name;
  return std::getline(file, name) && name.starts_with("qemu-");
}

}  // namespace restree::testing

// Leaves the rest of the test out, but only under qemu-user. `missing` says what that does not emulate.
// `tests/run cross` names the tests that were left out.
#define SKIP_UNDER_QEMU(missing) \
  if (::restree::testing::is_emulated()) GTEST_SKIP() << "qemu-user does not emulate " missing
