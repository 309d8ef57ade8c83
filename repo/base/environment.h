// Environment variables.
#pragma once

#include <cstdlib>
#include <string>

namespace restree {

// Empty if the variable is not set. Threads: any, while no thread changes the environment.
inline std::string environment_variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace restree
