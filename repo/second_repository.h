// A second repository with the same content, for blobs that the first one has lost or damaged.
//
// It is opened at the first need: as long as the first repository is whole, nothing is asked of it.
// What comes from it is compared with the id of the blob, as everywhere, so that it can give right
// bytes or none. It may have other keys. Files are cut into the same blobs only if both have the
// same chunker polynomial: with another one it has the trees and the small files at most.
//
// Ownership: the repository, once it is open, and a thread while it is being opened; the destructor
//            asks that thread to stop, and waits for it.
// Threads:   any.
// Limits:    one attempt to open it at a time. Readers wait for `patience` from its beginning, and
//            no longer than their own deadlines; those that come later do not wait. After a failure
//            the next attempt is made no sooner than `between_attempts` says.
// Errors:    load(): the first repository's error, with what the second one said if it was asked.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/blob_source.h"
#include "repo/storage/decorators/retry_storage.h"

namespace restree {

class Repository;

// Whether a blob that could not be read for this reason is looked for in another repository. While
// the storage is out of reach the blob is neither lost nor damaged, as far as anybody knows.
constexpr bool is_for_second(ErrorKind why) {
  return why != ErrorKind::kUnavailable && why != ErrorKind::kCancelled;
}

class SecondRepository {
 public:
  using Clock = Deadline::Clock;
  // Opens the repository with its index, by its own deadlines; gives up soon once asked to stop.
  using Opening = std::function<Result<std::shared_ptr<Repository>>(const std::stop_token& stop)>;

  struct Settings {
    std::string name;        // where it is, for messages
    std::string first_name;  // where the first one is
    std::uint64_t first_polynomial = 0;
    Opening open;
    std::stop_token stop;  // ends an attempt as the destructor does
    Clock::duration patience = std::chrono::seconds(60);
    BackOff between_attempts{std::chrono::minutes(1), 2, std::chrono::minutes(10)};
    std::function<Clock::time_point()> now = Clock::now;
  };

  explicit SecondRepository(Settings settings) : settings_(std::move(settings)) {}

  // The blob, which the first repository could not give because of `why`.
  Result<SharedBlob> load(BlobType type, const BlobId& id, const Error& why, Deadline by);
  // Its plain size; nullopt: this repository has no such blob, or cannot be opened.
  std::optional<std::uint32_t> blob_size(BlobType type, const BlobId& id);

  // How many blobs it has given.
  std::uint64_t given_blobs() const { return given_; }

 private:
  struct State {
    std::shared_ptr<Repository> repository;  // once it is open
    bool is_opening = false;
    Deadline waited_for = Deadline::never();  // until when readers wait for that
    unsigned failures = 0;                    // in a row
    Clock::time_point next_attempt = Clock::time_point::min();
  };

  // nullptr: it is not open, and could not be opened by then.
  std::shared_ptr<Repository> opened(Deadline by) EXCLUDES(state_);
  void begin(State& state) REQUIRES(state_);
  void open(const std::stop_token& ending) EXCLUDES(state_);
  void settle(Result<std::shared_ptr<Repository>> opened) EXCLUDES(state_);
  void postpone(State& state) const REQUIRES(state_);
  void tell_failure(const Error& error) const;
  void tell_polynomial(const Repository& repository) const;

  const Settings settings_;
  std::atomic<std::uint64_t> given_ = 0;
  std::atomic<bool> has_told_use_ = false;
  std::atomic<bool> has_told_failure_ = false;
  Guarded<State> state_;
  std::condition_variable ended_;  // an attempt
  std::jthread opener_;            // started under the lock of state_; last: it uses what is above
};

}  // namespace restree
