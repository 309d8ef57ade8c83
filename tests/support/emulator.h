// What qemu-user, which runs the tests of a build for another processor, cannot run.
#pragma once

#include <gtest/gtest.h>
#include <locale.h>

#include <fstream>
#include <string>

namespace restree::testing {

// Whether qemu-user runs this process: the kernel then calls it by the name of qemu's program.
inline bool is_emulated() {
  std::ifstream file("/proc/self/comm");
  std::string name;
  return std::getline(file, name) && name.starts_with("qemu-");
}

// Whether the C library finds the locale that the programs use. It reads this machine's own files, which
// it does not understand on an emulated processor of the other byte order.
inline bool has_utf8_locale() {
  const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (utf8 == nullptr) return false;
  ::freelocale(utf8);
  return true;
}

}  // namespace restree::testing

// Leaves the rest of the test out, but only under qemu-user. `missing` says what that does not emulate.
// `tests/run cross` names the tests that were left out.
#define SKIP_UNDER_QEMU(missing) \
  if (::restree::testing::is_emulated()) GTEST_SKIP() << "qemu-user does not emulate " missing

// Leaves the rest out where the emulated C library cannot read the locales of this machine.
#define SKIP_UNDER_QEMU_WITHOUT_LOCALE() \
  if (!::restree::testing::has_utf8_locale()) SKIP_UNDER_QEMU("locales for another byte order")
