#include "program/signals.h"

#include <fmt/core.h>
#include <pthread.h>
#include <string.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "program/access.h"
#include "repo/base/log.h"
#include "repo/base/undoing.h"
#include "repo/system/child_process.h"

namespace restree {

bool SignalSet::contains(int signal) const {
  return std::ranges::find(signals_, signal) != signals_.end();
}

sigset_t SignalSet::as_sigset() const {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals_) ::sigaddset(&set, signal);
  return set;
}

void SignalSet::block() const {
  const sigset_t set = as_sigset();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void SignalSet::unblock() const {
  const sigset_t set = as_sigset();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

SignalWatch::SignalWatch(SignalSet signals, std::function<void(int signal)> otherwise)
    : signals_(std::move(signals)), otherwise_(std::move(otherwise)) {
  signals_.block();
  thread_ = std::jthread([this](const std::stop_token& done) { run(done); });
}

void SignalWatch::end() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  // One of its own signals, which it has blocked, wakes the thread and reaches no other one.
  ::pthread_kill(thread_.native_handle(), signals_.signals_.front());
  thread_.join();
}

void SignalWatch::run(const std::stop_token& done) {
  const sigset_t set = signals_.as_sigset();
  while (true) {
    const int signal = ::sigwaitinfo(&set, &received_);
    if (done.stop_requested()) return;
    if (signal > 0) act_on(signal);
  }
}

void SignalWatch::act_on(int signal) {
  const SignalMeaning* meaning = nullptr;
  {
    auto state = state_.lock();
    for (const SignalMeaning* one : state->meanings) {
      if (one->signals_.contains(signal)) meaning = one;
    }
    state->at_work = meaning;
    state->is_acting = true;
  }
  if (meaning != nullptr) {
    meaning->action_();
  } else {
    otherwise_(signal);
  }
  {
    auto state = state_.lock();
    state->at_work = nullptr;
    state->is_acting = false;
  }
  action_ended_.notify_all();
}

void SignalWatch::begin(const SignalMeaning& meaning) {
  auto state = state_.lock();
  action_ended_.wait(state.mutex_lock(), [&] { return !state->is_acting; });
  state->meanings.push_back(&meaning);
}

void SignalWatch::finish(const SignalMeaning& meaning) {
  auto state = state_.lock();
  std::erase(state->meanings, &meaning);
  action_ended_.wait(state.mutex_lock(), [&] { return state->at_work != &meaning; });
}

SignalMeaning::SignalMeaning(SignalWatch& watch, SignalSet signals, std::function<void()> action)
    : watch_(watch), signals_(std::move(signals)), action_(std::move(action)) {
  watch_.begin(*this);
}

SignalMeaning::~SignalMeaning() { watch_.finish(*this); }

std::string description_of(const siginfo_t& received) {
  const char* const name = ::sigabbrev_np(received.si_signo);
  std::string signal =
      name == nullptr ? fmt::format("signal {}", received.si_signo) : fmt::format("SIG{}", name);
  // Otherwise the kernel sent it, for Ctrl-C for one.
  if (received.si_code > 0 || received.si_pid == 0) return signal;
  std::string program;
  std::getline(std::ifstream(fmt::format("/proc/{}/comm", received.si_pid)), program);
  if (program.empty()) return fmt::format("{} from process {}", signal, received.si_pid);
  return fmt::format("{} from process {} ({})", signal, received.si_pid, log::quoted(program));
}

void end_at_once(ExitCode code) {
  leave_prompt();
  take_terminal_back();
  undo_before_the_end(to_int(code));
  std::_Exit(to_int(code));
}

}  // namespace restree
