#include "tools/restree/stop_on_signal.h"

#include <signal.h>

#include <utility>

#include "program/access.h"
#include "repo/base/undoing.h"
#include "repo/crypto/derivation.h"
#include "tools/output/ticker.h"

namespace restree {

StopOnSignal::StopOnSignal(std::stop_source stop, std::chrono::milliseconds patience)
    : watch_({SIGINT, SIGTERM, SIGUSR1}, [stop = std::move(stop), patience](int signal) mutable {
        if (signal == SIGUSR1) return Ticker::tick_now();
        // At a password prompt, and while the first key is derived, nothing has begun that would
        // have to be ended in good order.
        const bool nothing_has_begun = leave_prompt() || only_derives_a_key();
        if (stop.request_stop() && !nothing_has_begun) return;
        const bool has_lock = !wait_until_nothing_is_left({});
        if (!has_lock || !wait_until_nothing_is_left(patience)) end_at_once(ExitCode::kCancelled);
      }) {
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace restree
