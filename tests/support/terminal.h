// A program on a terminal, which the test types on.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/unique_fd.h"

namespace restree::testing {

// Ownership: the child; the destructor hangs up, kills and reaps it.
// Errors:    std::runtime_error and std::system_error, with what the terminal has shown.
class Terminal {
 public:
  // `argv[0]` is looked up in PATH; `variables` are added to this process's environment.
  Terminal(std::vector<std::string> argv,
           const std::vector<std::pair<std::string, std::string>>& variables);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  void type(const std::string& keys) const;
  // What was shown since the last call, up to `end` and with it. Throws if that does not come.
  std::string shown_until(const std::string& end,
                          std::chrono::milliseconds timeout = std::chrono::seconds(60));

 private:
  pid_t pid_ = -1;
  UniqueFd terminal_;
  std::string shown_;
};

}  // namespace restree::testing
