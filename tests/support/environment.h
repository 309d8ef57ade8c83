// Variables of the environment as a test wants them, and as they were before afterwards.
#pragma once

#include <stdlib.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace restree::testing {

// Threads: while no other thread of the process reads the environment.
class Environment {
 public:
  Environment() = default;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (const auto& [name, value] : before_) put(name, value);
  }

  // No value: the variable is not there.
  void set(const std::string& name, const std::optional<std::string>& value) {
    const char* now = ::getenv(name.c_str());
    before_.emplace(name, now == nullptr ? std::nullopt : std::optional<std::string>(now));
    put(name, value);
  }

 private:
  static void put(const std::string& name, const std::optional<std::string>& value) {
    if (value) {
      ::setenv(name.c_str(), value->c_str(), 1);
    } else {
      ::unsetenv(name.c_str());
    }
  }

  std::map<std::string, std::optional<std::string>> before_;  // Of those that were set here.
};

}  // namespace restree::testing
