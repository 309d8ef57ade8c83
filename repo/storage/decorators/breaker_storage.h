// A Storage that fails at once while its server, or the repository on it, is known to be away.
//
// With a cache beside a storage, most requests need no server, and the rest must not hang for a
// whole deadline each time. A server is away once it has answered no call for about the length of a
// deadline, or as soon as a caller that knows it calls believe_away(). Calls that are under way by
// then go on until their own deadlines. A repository is away as soon as a call has found it absent
// (ConfirmedStorage, which this puts around the storage, finds that out). A probe now and then
// finds out when it is back: once the repository has been opened, that takes its own config, not
// just an answer.
//
// Ownership: shares the storage that it decorates; a thread that probes, once the server was away.
// Threads:   any.
// Limits:    one probe at a time, ended by its own short deadline; the destructor waits for that.
// Errors:    those of ConfirmedStorage; kUnavailable while the server or the repository is away.
// The log gets one line when either is found to be away, and one when the repository is there
// again; RetryStorage writes the one about a server that works again.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/outages.h"
#include "repo/storage/decorators/confirmed_storage.h"
#include "repo/storage/decorators/forwarding_storage.h"
#include "repo/storage/decorators/retry_storage.h"

namespace restree {

struct BreakerTiming {
  // How long callers wait for an answer, retries included.
  std::chrono::milliseconds patience{60'000};
  BackOff between_probes{std::chrono::seconds(1), 2, std::chrono::seconds(10)};
  std::chrono::milliseconds probe_limit{3'000};
  std::function<Deadline::Clock::time_point()> now = [] { return Deadline::Clock::now(); };
};

class BreakerStorage final : public ForwardingStorage {
 public:
  BreakerStorage(std::shared_ptr<Storage> inner, BreakerTiming timing);
  ~BreakerStorage() override;
  BreakerStorage(const BreakerStorage&) = delete;
  BreakerStorage& operator=(const BreakerStorage&) = delete;

  // Which repository was opened: see ConfirmedStorage.
  void remember_key(const std::string& name) { confirmed_.remember_key(name); }
  void remember(ByteView config, const std::string& key_name) {
    confirmed_.remember(config, key_name);
  }
  // The server did not answer, for the reason `why`; it counts as away until a probe finds it.
  void believe_away(const Error& why);
  // `call` is called each time the server is back, by the thread that probes; possibly once more
  // after another one has replaced it.
  void on_return(std::function<void()> call);
  // Those that have ended, for what remembers failures: counted before any caller can find the
  // server back.
  std::shared_ptr<const Outages> outages() const { return outages_; }

  // Since the beginning.
  struct Figures {
    bool is_away = false;
    std::chrono::system_clock::time_point since;  // when `is_away` last changed
    std::uint64_t requests = 0;                   // that were answered
    std::uint64_t failures = 0;                   // that were not
    std::uint64_t read_bytes = 0;
  };
  Figures figures() const;

  Status make_folders(Deadline by) override;
  Status reach(Deadline by) override;
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<std::uint64_t> size(const FileName& file, Deadline by) override;
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override;
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override;
  Result<Bytes> read_all(const FileName& file, Deadline by) override;
  Status write(const FileName& file, ByteView content, Deadline by) override;
  Status join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
              Deadline by) override;
  Status remove(const FileName& file, Deadline by) override;
  Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) override;
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override;

 private:
  struct State {
    std::optional<Error> away;  // set while away: the error that every call returns
    std::string vanished;       // the reason, if the server answers but the repository is not there
    Deadline::Clock::time_point away_since{};
    Figures figures;
    std::size_t pending = 0;
    Deadline::Clock::time_point unanswered_since{};  // while some are pending
    bool ending = false;
  };

  template <class Call>
  auto pass(Call call) -> decltype(call());
  std::optional<Error> begin() EXCLUDES(state_);
  // nullptr: it succeeded.
  void end(const Error* failure, std::uint64_t read_bytes) EXCLUDES(state_);
  void set_away(State& state, std::string_view what, const std::string& why) REQUIRES(state_);
  void note_vanished(const std::string& why) EXCLUDES(state_);
  void probe_on();
  void note_return() EXCLUDES(state_, on_return_);

  const std::shared_ptr<Outages> outages_ = std::make_shared<Outages>();
  ConfirmedStorage& confirmed_;  // the inner storage, which this one has made
  const BreakerTiming timing_;
  Guarded<State> state_;
  Guarded<std::function<void()>> on_return_;
  std::condition_variable changed_;
  std::jthread prober_;  // started under the lock of state_
};

}  // namespace restree
