// A program started by us, and its end.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

// Ownership: the process, in a process group of its own so that Ctrl-C in a terminal stays ours.
//            The destructor gives it a moment to end by itself (whoever holds its input closes that
//            first), then ends the whole group and waits for it: no zombie is left.
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

  // True once it has ended; waits for that.
  bool ended(std::chrono::milliseconds wait);
  // True once it has ended otherwise than with exit code 0; waits for its end like ended().
  bool failed(std::chrono::milliseconds wait);

 private:
  explicit ChildProcess(pid_t pid);

  pid_t pid_;
  UniqueFd pidfd_;
};

// A file without a name that a child may write its complaints to, without anyone reading along.
class Complaints {
 public:
  Complaints();
  int fd() const { return file_.get(); }
  // The last lines that say something, joined to one; empty if there are none.
  std::string last_words() const;

 private:
  UniqueFd file_;
};

// Runs a program that prints and ends: its output. kInvalid: it ended with a failure (its last
// words are the message). kNotFound: there is no such program. kUnavailable: not done in time.
Result<std::string> output_of(const std::vector<std::string>& words, Deadline by);

// Words separated by white space, as restic splits commands: '…' and "…" quote, and a backslash
// keeps a quote what it is. kInvalid: a quote is left open, or there is no word.
Result<std::vector<std::string>> split_words(std::string_view command);

}  // namespace restree
