#include "repo/base/waiting.h"

#include <mutex>

namespace restree {

bool sleep_until(const std::stop_token& stop, Deadline::Clock::time_point when) {
  std::mutex mutex;
  std::condition_variable_any asked;
  std::unique_lock lock(mutex);
  asked.wait_until(lock, stop, when, [] { return false; });
  return !stop.stop_requested();
}

bool sleep_for(const std::stop_token& stop, Deadline::Clock::duration time) {
  return sleep_until(stop, Deadline::Clock::now() + time);
}

}  // namespace restree
