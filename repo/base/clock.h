// Points in time by which a wait must end.
#pragma once

#include <algorithm>
#include <chrono>

namespace restree {

// A moment on the steady clock; every call that may wait takes one. Values, any thread.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  static Deadline after(Clock::duration wait) { return Deadline(Clock::now() + wait); }
  static Deadline at(Clock::time_point when) { return Deadline(when); }
  // For work whose end is bounded elsewhere (a command that a person can interrupt).
  static Deadline never() { return Deadline(Clock::time_point::max()); }
  static Deadline earlier(Deadline a, Deadline b) { return Deadline(std::min(a.when_, b.when_)); }

  Clock::time_point when() const { return when_; }
  bool expired() const { return Clock::now() >= when_; }
  // Zero once expired; a day at most, so that it can be given to any wait as it is.
  Clock::duration remaining() const {
    const auto now = Clock::now();
    if (when_ <= now) return Clock::duration::zero();
    return std::min<Clock::duration>(when_ - now, std::chrono::hours(24));
  }
  // For poll(2): rounded up, so that a wait never ends just before the deadline.
  int poll_timeout_ms() const {
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(remaining()).count());
  }

 private:
  explicit Deadline(Clock::time_point when) : when_(when) {}
  Clock::time_point when_;
};

}  // namespace restree
