// Environment variables.
#pragma once

#include <cstdlib>
#include <string>

namespace restree {

// Empty where there is none of this name. Threads: while no other changes the environment.
inline std::string environment_variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace restree
