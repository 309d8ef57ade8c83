// The log lines about what a mount could not show: one line for each failure, however often
// programs run into it.
//
// The kernel asks for every page of a file that cannot be read, and programs try again. People want
// to read about that once, so a failure that was logged a short while ago is only counted.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"

namespace restree {

// Threads: any.
// Limits:  remembers kMostRemembered failures, and as many subjects; when there are more, it
//          forgets all of them, and logs each again when it happens again.
class FailureLog {
 public:
  using Clock = Deadline::Clock;
  // A failure is logged again if it still happens this long after its last line.
  static constexpr std::chrono::minutes kLoggedAgainAfter{10};
  static constexpr std::size_t kMostRemembered = 4096;

  // Says in words for people which entry of the mount an inode is.
  using Describe = std::function<std::string(std::uint64_t inode)>;

  // `describe` is called by any thread, with no lock held, and must not wait for the storage.
  explicit FailureLog(Describe describe, std::function<Clock::time_point()> now = Clock::now);

  // Counts a failure, logs it as "<doing>: <which entry>: <message>" unless the same line was
  // logged lately, and returns the error unchanged. While data is out of reach (kUnavailable),
  // one line for each entry is enough, whichever of its bytes are asked for.
  Error report(Error error, std::uint64_t inode, std::string_view doing);

  // Logs "<which entry>: <what>", once for each `subject`: for what is odd but no failure.
  void say_once(const std::string& subject, std::uint64_t inode, std::string_view what);

  // All failures, with those that were not logged.
  std::uint64_t count() const { return count_; }

 private:
  // Notes that the failure happens now. False: a line about it was logged a short while ago.
  bool is_news(const std::string& failure);

  const Describe describe_;
  const std::function<Clock::time_point()> now_;
  std::atomic<std::uint64_t> count_ = 0;
  Guarded<std::unordered_map<std::string, Clock::time_point>> logged_;  // when each was last logged
  Guarded<std::unordered_set<std::string>> said_;                       // the subjects
};

}  // namespace restree
