#include "tools/restree/stop_on_signal.h"

#include <pthread.h>
#include <signal.h>

#include <cstdlib>
#include <ctime>
#include <utility>

#include "program/access.h"
#include "program/exit_codes.h"

namespace restree {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM}) ::sigaddset(&set, signal);
  return set;
}

void watch(const std::stop_token& done, std::stop_source& stop) {
  const sigset_t set = ending_signals();
  while (!done.stop_requested()) {
    const timespec slice{.tv_sec = 0, .tv_nsec = 100'000'000};
    if (::sigtimedwait(&set, nullptr, &slice) < 0) continue;
    // At a password prompt nothing has begun yet, so the first signal already ends the process.
    const bool asking = leave_prompt();
    if (!stop.request_stop() || asking) std::_Exit(to_int(ExitCode::kCancelled));
  }
}

}  // namespace

StopOnSignal::StopOnSignal(std::stop_source stop) {
  const sigset_t set = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  thread_ = std::jthread(
      [stop = std::move(stop)](const std::stop_token& done) mutable { watch(done, stop); });
}

}  // namespace restree
