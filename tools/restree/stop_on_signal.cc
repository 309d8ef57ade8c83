#include "tools/restree/stop_on_signal.h"

#include <signal.h>

#include <utility>

#include "program/access.h"

namespace restree {

StopOnSignal::StopOnSignal(std::stop_source stop)
    : watch_({SIGINT, SIGTERM}, [stop = std::move(stop)](int) mutable {
        // At a password prompt nothing has begun yet, so the first signal already ends the process.
        const bool asking = leave_prompt();
        if (!stop.request_stop() || asking) end_at_once(ExitCode::kCancelled);
      }) {
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace restree
