// Where the programs under test are: beside the test that asks. Found at run time, so that a test
// of whole programs compiles to the same in every build.
#pragma once

#include <filesystem>
#include <string>

namespace restree::testing {

// Throws std::filesystem::filesystem_error without /proc.
inline std::string built_program(const char* name) {
  return std::filesystem::read_symlink("/proc/self/exe").replace_filename(name).string();
}
inline std::string restreefs_path() { return built_program("restreefs"); }
inline std::string restree_path() { return built_program("restree"); }

}  // namespace restree::testing
