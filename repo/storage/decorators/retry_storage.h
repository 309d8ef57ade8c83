// A Storage that repeats calls that failed for the time being, until the call's deadline.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"

namespace restree {

// How long to wait before the next attempt.
struct BackOff {
  std::chrono::milliseconds first{200};
  double factor = 2;
  std::chrono::milliseconds most{10'000};

  // After `failures` (1 or more) in a row. `luck` in [0, 1) spreads callers that failed together
  // over the upper half of the wait.
  std::chrono::milliseconds wait(unsigned failures, double luck) const;
};

// The clock and the random numbers, which tests replace.
struct RetryWorld {
  std::function<Deadline::Clock::time_point()> now;
  std::function<void(Deadline::Clock::time_point)> sleep_until;  // or earlier, if asked to stop
  std::function<double()> luck;

  // Sleeps end when `stop` is requested.
  static RetryWorld real(const std::stop_token& stop);
};

// Only kUnavailable is repeated. A write is repeated as well: a name always stands for the same
// content, so a second write can only put the same bytes in place. A remove whose first attempt was
// cut off may find the file gone, and counts that as success.
//
// Until the other side has answered for the first time, calls are repeated for kFirstContact only:
// the name may be wrong, or the port, and whoever wrote it is waiting. One that has answered once is
// worth waiting for.
//
// Ownership: shares the storage that it decorates.
// Threads:   any.
// Errors:    those of the decorated storage; at the deadline kUnavailable with the last cause.
//            kCancelled: `stop` was requested.
// The log gets one line when trouble begins and one when it is over, whatever the number of calls,
// and nothing about trouble that comes back within kQuietTime of a line, unless it lasts longer.
class RetryStorage final : public ForwardingStorage {
 public:
  static constexpr std::chrono::seconds kQuietTime{10};
  static constexpr std::chrono::seconds kFirstContact{3};

  RetryStorage(std::shared_ptr<Storage> inner, BackOff back_off, const std::stop_token& stop);
  RetryStorage(std::shared_ptr<Storage> inner, BackOff back_off, std::stop_token stop,
               RetryWorld world);

  Status make_folders(Deadline by) override;
  Status reach(Deadline by) override;
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<std::uint64_t> size(const FileName& file, Deadline by) override;
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override;
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override;
  Result<Bytes> read_all(const FileName& file, Deadline by) override;
  Status write(const FileName& file, ByteView content, Deadline by) override;
  Status remove(const FileName& file, Deadline by) override;
  Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) override;
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override;

 private:
  struct Trouble {
    std::optional<Deadline::Clock::time_point> since;  // while it lasts
    std::optional<Deadline::Clock::time_point> told;   // when the last line was logged
    bool announced = false;                            // in the log, this time
    bool was_reached = false;                          // ever
    std::optional<Deadline::Clock::time_point> asked;  // when the first call was made
  };
  template <class Attempt>
  auto repeat(Deadline by, Attempt attempt) -> decltype(attempt());
  void note_call();
  // When to stop repeating a call that may last until `by`.
  Deadline::Clock::time_point end_of_attempts(Deadline by) const;
  void note_failure(const Error& error, Deadline::Clock::time_point until);
  void note_success();

  const BackOff back_off_;
  const std::stop_token stop_;
  const RetryWorld world_;
  Guarded<Trouble> trouble_;
};

}  // namespace restree
