// Lets the program go to the background once it has begun its work.
#pragma once

#include <sys/types.h>

#include <string>

#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

// The process forks at the start: the child does the work, with the terminal still there for
// prompts and errors; the parent waits. Once the child is ready(), it lets go of the terminal and
// the parent ends with 0; if the child ends before, the parent ends with the child's exit code.
// Threads: start() before there are any; ready() from any thread, once.
class Background {
 public:
  // `log_file`: where the child's log goes from ready() on; empty for syslog.
  static Result<Background> start(const std::string& log_file);
  // The same without a second process; the log goes to stderr, or to `log_file`.
  static Result<Background> foreground(const std::string& log_file);

  bool is_parent() const { return child_ > 0; }
  // Called in the parent. Returns the exit code for it.
  int wait_for_child();

  void ready();

 private:
  Background() = default;

  pid_t child_ = 0;
  bool in_background_ = false;
  UniqueFd to_parent_;
  UniqueFd from_child_;
  std::string log_file_;
};

}  // namespace restree
