#include "repo/base/waiting.h"

#include <condition_variable>

#include "repo/base/guarded.h"

namespace restree {

bool sleep_until(const std::stop_token& stop, Deadline::Clock::time_point when) {
  Mutex mutex;
  std::condition_variable_any asked;
  MutexLock lock(mutex);
  asked.wait_until(lock.mutex_lock(), stop, when, [] { return false; });
  return !stop.stop_requested();
}

bool sleep_for(const std::stop_token& stop, Deadline::Clock::duration time) {
  return sleep_until(stop, Deadline::Clock::now() + time);
}

}  // namespace restree
