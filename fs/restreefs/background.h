// Going to the background, but not before there is something to show for it.
#pragma once

#include <sys/types.h>

#include <string>

#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

// The process splits in two at the start: the child does the work, with the terminal still there
// for questions and complaints; the parent waits. Once the child is ready() it lets go of the
// terminal and the parent ends with 0; if it ends before, the parent passes on its exit code.
// Threads: start() before there are any; ready() from any thread, once.
class Background {
 public:
  // `log_file`: where the child's log goes from ready() on; empty for syslog.
  static Result<Background> start(const std::string& log_file);
  // The same without a second process; the log goes to stderr, or to `log_file`.
  static Result<Background> foreground(const std::string& log_file);

  bool is_parent() const { return child_ > 0; }
  // The parent's part: its exit code.
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
