// A child of the test process, for what a test must not do to itself: take signals, or end at once.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace restree::testing {

// After so long, a child that a failing test has left hanging is ended by SIGALRM.
inline constexpr unsigned kLongestChildSeconds = 100;

// The code that a process ended with; 128 and the signal, if a signal ended it.
inline int exit_code_of_child(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Runs `body` in a child, which then ends with the code that it returns.
template <class Body>
int exit_code_in_child(Body body) {
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child > 0) return exit_code_of_child(child);
  ::alarm(kLongestChildSeconds);
  ::_exit(body());
}

// Sends a signal to this process as a whole, as another process does.
inline void signal_own_process(int signal) { ::kill(::getpid(), signal); }

}  // namespace restree::testing
