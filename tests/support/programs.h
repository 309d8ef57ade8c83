// Where the programs under test are: where RESTREE_PROGRAMS says, or beside the test that asks. Found at
// run time, so that one build of a test of whole programs does for all of them.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace restree::testing {

// Throws std::filesystem::filesystem_error without /proc.
inline std::string built_program(const char* name) {
  const char* folder = std::getenv("RESTREE_PROGRAMS");
  if (folder != nullptr) return std::filesystem::path(folder) / name;
  return std::filesystem::read_symlink("/proc/self/exe").replace_filename(name).string();
}
inline std::string restreefs_path() { return built_program("restreefs"); }
inline std::string restree_path() { return built_program("restree"); }

// Whether a sanitizer watches those programs. It keeps freed memory, to see whether that is used, so
// how much memory they take says nothing. Threads: any.
bool programs_are_sanitized();

}  // namespace restree::testing
