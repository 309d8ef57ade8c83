// Environment variables, and the home folder.
#pragma once

#include <cstdlib>
#include <string>

namespace restree {

// Empty if the variable is not set. Threads: any, while no thread changes the environment.
inline std::string environment_variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

// $HOME, or else the home folder of the effective user: it is with that user's rights that this
// process reads configuration and keys there, and what it makes there belongs to that user. Empty
// if neither is known. Threads: as above.
std::string home_folder();

}  // namespace restree
