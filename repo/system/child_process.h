// Another program that is started, run and ended.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

// Ownership: the process. The destructor gives it a moment to end by itself (close its input before),
//            then ends it, with its whole group where it has one of its own, and waits for it: no
//            zombie is left.
// Threads:   one at a time.
class ChildProcess {
 public:
  // Descriptors of this process that become the child's 0, 1 and 2; -1 is /dev/null.
  struct Streams {
    int input = -1;
    int output = -1;
    int errors = -1;
  };
  // What the child may do with the terminal that controls this process, if there is one.
  enum class Terminal {
    // A process group of its own, so that Ctrl-C does not reach it. If it reads the terminal, it is
    // stopped: only for programs that never do.
    kNone,
    // It stays in the group of this process: it may ask on the terminal, and Ctrl-C and Ctrl-Z reach
    // both. For commands whose end by Ctrl-C does no harm.
    kShared,
    // A group of its own, which has the terminal until take_terminal_back(): it may ask at its start,
    // and later Ctrl-C does not reach it. If Ctrl-C ends it before, this process gets SIGINT as well.
    // Only one child has the terminal at a time; it is kNone for another one, and where this process
    // itself runs in the background.
    kUntilTakenBack,
  };
  struct Ending {
    bool by_signal = false;
    int number = 0;  // of the signal, or the exit status

    bool is_success() const { return !by_signal && number == 0; }
    // "ended with exit status 7", "was ended by SIGKILL".
    std::string words() const;
  };

  // `words[0]` is looked for in PATH. No shell is involved.
  static Result<ChildProcess> start(const std::vector<std::string>& words, const Streams& streams,
                                    Terminal terminal = Terminal::kNone);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  // Waits up to `wait` for its end; true if it has ended.
  bool ended(std::chrono::milliseconds wait);
  // Waits as ended() does. Nullopt: it has not ended.
  std::optional<Ending> ending(std::chrono::milliseconds wait);
  // Ends its time with the terminal, if it has it. Cheap.
  void take_terminal_back();

 private:
  ChildProcess(pid_t pid, bool leads_group);

  pid_t pid_;
  bool leads_group_;
  UniqueFd pidfd_;  // none where the kernel has no pidfd_open(2), or a container refuses it
};

// Takes the terminal back from whichever child has it, before this process ends at once: a script
// that goes on after it would be left without its terminal. Threads: any.
void take_terminal_back();

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

// Runs a program to its end and returns what it printed. kInvalid: it printed nothing, or ended with a
// failure; the message has its last words and how it ended. kCancelled: Ctrl-C ended it. kNotFound:
// there is no such program. kUnavailable: it did not end in time.
Result<std::string> output_of(const std::vector<std::string>& words, Deadline by);

// The same for a command that may ask a person: it shares the terminal, and what it writes to standard
// error is shown as it comes. The message is without its last words where they were shown.
Result<std::string> output_of_asking(const std::vector<std::string>& words, Deadline by);

// Words separated by white space, as restic splits commands: '…' and "…" quote, and after a
// backslash a quote is an ordinary character. kInvalid: a quote is left open, or there is no word.
Result<std::vector<std::string>> split_words(std::string_view command);

}  // namespace restree
