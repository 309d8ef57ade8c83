#include "repo/base/last_resort.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <mutex>
#include <new>
#include <ranges>
#include <system_error>
#include <thread>
#include <utility>

#include "repo/base/log.h"
#include "repo/base/undoing.h"

namespace restree {
namespace {

constexpr unsigned kMostSeconds = 10;
constexpr std::chrono::milliseconds kBetweenLooks{10};

struct Undoing {
  std::timed_mutex mutex;
  std::list<std::function<void()>> all;
};
Undoing& undoing() {
  static auto* const never_destroyed = new Undoing;
  return *never_destroyed;
}

const char* program_name = "";

// Nothing in here may throw, and little memory may be left.
void say(const char* what) noexcept {
  try {
    log::error("{}", what);
  } catch (...) {
    std::fprintf(stderr, "%s: %s\n", program_name, what);
  }
}

void say_why() noexcept {
  try {
    if (const auto exception = std::current_exception()) std::rethrow_exception(exception);
    say("ending: an internal error");
  } catch (const std::bad_alloc&) {
    say("ending: the system has no more memory to give");
  } catch (const std::exception& failure) {
    say(failure.what());
  } catch (...) {
    say("ending: an internal error");
  }
}

std::atomic<int> exit_code_when_late = 1;

// SIGALRM ends the process if the undoing takes too long.
void limit_time() {
  ::signal(SIGALRM, [](int) { ::_exit(exit_code_when_late); });
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGALRM);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::alarm(kMostSeconds);
}

// Nobody unlocks it again: what was undone must not be undone a second time.
void undo_all() {
  if (!undoing().mutex.try_lock_for(std::chrono::seconds(1))) return;
  for (const auto& undo : std::views::reverse(undoing().all)) {
    try {
      undo();
    } catch (...) {
      say("could not undo everything");
    }
  }
}

[[noreturn]] void end_the_process() {
  static std::atomic<bool> is_ending = false;
  static thread_local bool is_here = false;
  if (is_here) ::_exit(1);  // the undoing has failed in turn
  is_here = true;
  while (is_ending.exchange(true)) ::pause();  // another thread is ending the process
  limit_time();
  say_why();
  undo_all();
  ::_exit(1);
}

}  // namespace

LastResort::LastResort(std::function<void()> undo) {
  const std::lock_guard lock(undoing().mutex);
  place_ = undoing().all.insert(undoing().all.end(), std::move(undo));
}

LastResort::~LastResort() {
  const std::lock_guard lock(undoing().mutex);
  undoing().all.erase(place_);
}

bool wait_until_nothing_is_left(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    {
      const std::lock_guard lock(undoing().mutex);
      if (undoing().all.empty()) return true;
    }
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

void undo_before_the_end(int exit_code) {
  exit_code_when_late = exit_code;
  limit_time();
  undo_all();
}

Error error_of(const std::exception& failure) {
  if (dynamic_cast<const std::bad_alloc*>(&failure) != nullptr) {
    return Error(ErrorKind::kLocalIo, "the system has no more memory to give")
        .hinting("Is there a limit (ulimit -v, a container's)? Others may use the rest.");
  }
  if (const auto* refused = dynamic_cast<const std::system_error*>(&failure);
      refused != nullptr && refused->code() == std::errc::resource_unavailable_try_again) {
    return Error(ErrorKind::kLocalIo, "the system has no more threads to give")
        .hinting("Is there a limit (ulimit -u, a container's)? Others may use the rest.");
  }
  if (const auto* refused = dynamic_cast<const std::system_error*>(&failure);
      refused != nullptr && refused->code() == std::errc::operation_not_permitted) {
    return Error(ErrorKind::kLocalIo, "the system does not let this program start a thread")
        .hinting("Does a container's filter of system calls refuse clone3? It must say ENOSYS.");
  }
  return {ErrorKind::kLocalIo, failure.what()};
}

void undo_if_all_else_fails(const char* program) {
  program_name = program;
  undoing();
  std::set_terminate(end_the_process);
}

}  // namespace restree
