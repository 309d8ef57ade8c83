// Another program that is started, run and ended.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

// Ownership: the process, in a process group of its own so that Ctrl-C in a terminal does not reach
//            it. The destructor gives it a moment to end by itself (close its input before), then
//            ends the whole group and waits for it: no zombie is left.
// Threads:   one at a time.
class ChildProcess {
 public:
  // Descriptors of this process that become the child's 0, 1 and 2; -1 is /dev/null.
  struct Streams {
    int input = -1;
    int output = -1;
    int errors = -1;
  };

  // `words[0]` is looked for in PATH. No shell is involved.
  static Result<ChildProcess> start(const std::vector<std::string>& words, const Streams& streams);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  // Waits up to `wait` for its end; true if it has ended.
  bool ended(std::chrono::milliseconds wait);
  // Waits as ended() does; true if it has ended otherwise than with exit code 0.
  bool failed(std::chrono::milliseconds wait);

 private:
  explicit ChildProcess(pid_t pid);

  pid_t pid_;
  UniqueFd pidfd_;
};

// A file without a name for a child's error output: no thread has to read along.
class Complaints {
 public:
  Complaints();
  int fd() const { return file_.get(); }
  // The last lines that are not empty, joined to one; empty if there are none.
  std::string last_words() const;

 private:
  UniqueFd file_;
};

// Runs a program to its end and returns what it printed. kInvalid: it ended with a failure (its
// last words are the message). kNotFound: there is no such program. kUnavailable: it did not end in
// time.
Result<std::string> output_of(const std::vector<std::string>& words, Deadline by);

// Words separated by white space, as restic splits commands: '…' and "…" quote, and after a
// backslash a quote is an ordinary character. kInvalid: a quote is left open, or there is no word.
Result<std::vector<std::string>> split_words(std::string_view command);

}  // namespace restree
