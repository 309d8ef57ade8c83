#include "tests/support/programs.h"

#include <string_view>

#include "tests/support/files.h"

namespace restree::testing {

bool programs_are_sanitized() {
  static const bool are = [] {
    const std::string program = read_file(restreefs_path());
    for (const std::string_view start : {"__asan_init", "__tsan_init"}) {
      if (program.find(start) != std::string::npos) return true;
    }
    return false;
  }();
  return are;
}

}  // namespace restree::testing
