#include "repo/storage/channel/limited_channel.h"

#include <poll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace restree {

Result<std::unique_ptr<ByteChannel>> LimitedChannel::make(std::unique_ptr<ByteChannel> inner,
                                                          RateLimits limits) {
  if (limits.empty()) return inner;
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer) return errno_error(errno, "make a timer");
  return std::unique_ptr<ByteChannel>(
      new LimitedChannel(std::move(inner), std::move(limits), std::move(timer)));
}

Result<std::size_t> LimitedChannel::read_some(MutableByteView into) {
  read_is_held_ = false;
  if (!limits_.download) return inner_->read_some(into);
  const std::size_t allowed = limits_.download->take(into.size());
  if (allowed == 0) {
    read_is_held_ = true;
    wake_with(*limits_.download);
    return std::size_t{0};
  }
  auto got = inner_->read_some(into.first(allowed));
  limits_.download->give_back(allowed - got.value_or(0));
  return got;
}

Result<std::size_t> LimitedChannel::write_some(ByteView bytes) {
  write_is_held_ = false;
  if (!limits_.upload || bytes.empty()) return inner_->write_some(bytes);
  // Bytes that were offered once have to be offered again (see ByteChannel).
  if (offered_ == 0) offered_ = limits_.upload->take(bytes.size());
  if (offered_ == 0) {
    write_is_held_ = true;
    wake_with(*limits_.upload);
    return std::size_t{0};
  }
  auto sent = inner_->write_some(bytes.first(std::min(offered_, bytes.size())));
  if (sent.value_or(1) != 0) {
    limits_.upload->give_back(offered_ - std::min(offered_, sent.value_or(0)));
    offered_ = 0;
  }
  return sent;
}

void LimitedChannel::wake_with(const RateLimit& limit) {
  const auto wait = std::max<std::chrono::nanoseconds>(limit.next() - RateLimit::Clock::now(),
                                                       std::chrono::milliseconds(1));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
  itimerspec when{};
  when.it_value.tv_sec = seconds.count();
  when.it_value.tv_nsec = static_cast<long>((wait - seconds).count());
  ::timerfd_settime(timer_.get(), 0, &when, nullptr);
}

ByteChannel::Wait LimitedChannel::wait_for() const {
  // While a limit holds one direction up, only the timer is waited for: it goes off soon enough for
  // the other direction.
  if (read_is_held_ || write_is_held_) return {timer_.get(), POLLIN};
  return inner_->wait_for();
}

}  // namespace restree
