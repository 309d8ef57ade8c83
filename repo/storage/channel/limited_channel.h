// A ByteChannel through which no more bytes move than a RateLimit lets.
//
// Ownership: the channel; shares the limits.
// Threads, Errors: those of the channel.
#pragma once

#include <memory>

#include "repo/base/unique_fd.h"
#include "repo/storage/channel/byte_channel.h"
#include "repo/storage/channel/rate_limit.h"

namespace restree {

class LimitedChannel final : public ByteChannel {
 public:
  // kLocalIo: the system gives no timer.
  static Result<std::unique_ptr<ByteChannel>> make(std::unique_ptr<ByteChannel> inner,
                                                   RateLimits limits);

  Result<std::size_t> read_some(MutableByteView into) override;
  Result<std::size_t> write_some(ByteView bytes) override;
  Wait wait_for() const override;
  std::uint64_t bytes_moved() const override { return inner_->bytes_moved(); }
  bool is_held() const override { return read_is_held_ || write_is_held_; }

 private:
  LimitedChannel(std::unique_ptr<ByteChannel> inner, RateLimits limits, UniqueFd timer)
      : inner_(std::move(inner)), limits_(std::move(limits)), timer_(std::move(timer)) {}
  // Sets the timer to when the limit lets bytes move again.
  void wake_with(const RateLimit& limit);

  std::unique_ptr<ByteChannel> inner_;
  const RateLimits limits_;
  UniqueFd timer_;
  bool read_is_held_ = false;
  bool write_is_held_ = false;
  std::size_t offered_ = 0;  // bytes offered to inner_ and not taken yet
};

}  // namespace restree
