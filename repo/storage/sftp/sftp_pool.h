// The connections to one server: opened as the load grows, replaced when they die.
//
// If the server refuses a connection while others are open, it grants no more of them: for
// kRefusalMemory the pool makes do with those that it has. Connections that were not used for
// kIdleLimit are closed.
//
// Over a long line a login takes a dozen round trips. So several connections are opened at a time,
// but the first alone: it may have to ask a person for a password, which the others then reuse.
//
// Ownership: the connections (shared with calls that use them) and the threads that open them.
// Threads:   any; no lock is held while connecting. `Connect` is called by up to kOpenedAtOnce.
// Limits:    at most `most` connections.
// Errors:    those of `Connect`.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/storage/channel/wakeup.h"
#include "repo/storage/sftp/sftp_connection.h"

namespace restree {

class SftpPool {
 public:
  using Connect = std::function<Result<std::unique_ptr<SftpConnection>>(const Patience&)>;

  static constexpr std::chrono::seconds kRefusalMemory{60};
  static constexpr std::chrono::seconds kFileIdleLimit{30};
  static constexpr std::chrono::minutes kIdleLimit{5};
  // A connection with less to do than this takes one more request without another being opened.
  static constexpr std::size_t kBusyBytes = 1 << 20;
  static constexpr std::size_t kOpenedAtOnce = 3;

  SftpPool(std::string host, std::size_t most, std::chrono::milliseconds connect_timeout,
           Connect connect);
  ~SftpPool();
  SftpPool(const SftpPool&) = delete;
  SftpPool& operator=(const SftpPool&) = delete;

  // The least busy connection; waits until there is one.
  Result<std::shared_ptr<SftpConnection>> acquire(Deadline by);
  // All connections that are open now.
  std::vector<std::shared_ptr<SftpConnection>> all();

 private:
  using Connections = std::vector<std::shared_ptr<SftpConnection>>;
  struct State {
    Connections connections;
    std::size_t wanted = 0;   // connections to be opened by the next free threads
    std::size_t opening = 0;  // connections that are being opened
    bool ending = false;
    std::uint64_t attempts = 0;                   // attempts that have ended
    std::optional<Error> last_error;              // of the last one, if it failed
    std::size_t granted;                          // at most so many…
    Deadline::Clock::time_point granted_until{};  // …until then
  };

  // Takes the dead connections out. They are to be destroyed once the lock is released.
  static Connections bury(State& state);
  std::size_t allowed(const State& state) const REQUIRES(state_);
  void run();
  void attempt() EXCLUDES(state_);
  Result<std::unique_ptr<SftpConnection>> connect();
  void tidy() EXCLUDES(state_);

  const std::string host_;
  const std::size_t most_;
  const std::chrono::milliseconds connect_timeout_;
  const Connect connect_;
  Wakeup cancel_;
  Guarded<State> state_;
  std::condition_variable changed_;
  std::vector<std::jthread> connectors_;
};

}  // namespace restree
