// The thread that drives one SFTP connection: it sends the requests, and hands each answer to the
// caller that waits for it.
//
// Ownership: the channel and the thread; both end with the engine, or earlier if the connection
//            fails.
// Threads:   any.
// Limits:    see sftp_client.h.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/storage/channel/byte_channel.h"
#include "repo/storage/channel/flight_window.h"
#include "repo/storage/channel/wakeup.h"
#include "repo/storage/sftp/sftp_packet.h"

namespace restree {

class SftpEngine {
 public:
  struct Limits {
    std::uint32_t first_bytes_in_flight;
    std::chrono::milliseconds silence;
  };

  // The greetings have been exchanged: the next byte from the channel begins an answer.
  SftpEngine(std::unique_ptr<ByteChannel> channel, std::string host, Limits limits);
  ~SftpEngine();
  SftpEngine(const SftpEngine&) = delete;
  SftpEngine& operator=(const SftpEngine&) = delete;

  std::future<Result<sftp::Answer>> send(sftp::Request request, bool slow);

  // Exactly the range, in requests of at most `piece_bytes`.
  Result<Bytes> read(std::string_view handle, std::uint64_t offset, std::uint64_t length,
                     std::uint32_t piece_bytes, Deadline by);

  bool alive() const { return alive_.load(std::memory_order_acquire); }
  std::size_t load() const { return load_.load(std::memory_order_relaxed); }
  Deadline::Clock::time_point last_used() const {
    return Deadline::Clock::time_point(Deadline::Clock::duration(last_used_.load()));
  }

 private:
  struct Piece {
    std::uint64_t position;  // in the job's bytes
    std::uint32_t length;
  };
  struct ReadJob {
    std::string handle;
    std::uint64_t offset;
    std::uint32_t piece_bytes;
    Bytes into;
    std::promise<Result<Bytes>> done;
    std::atomic<bool> abandoned = false;
    // Used by the engine's thread alone:
    std::uint64_t asked = 0;        // requested up to here
    std::uint64_t landed = 0;       // bytes
    std::size_t load = 0;           // its share of load_
    std::vector<Piece> remainders;  // what short answers left out
    bool settled = false;

    bool wants_more() const {
      return !settled && !abandoned && (asked < into.size() || !remainders.empty());
    }
  };
  struct Call {
    sftp::Request request;
    std::promise<Result<sftp::Answer>> done;
    bool slow;
  };
  struct Queue {
    std::deque<Call> calls;                            // sent first
    std::deque<std::shared_ptr<ReadJob>> short_reads;  // of one piece: sent next
    std::deque<std::shared_ptr<ReadJob>> long_reads;
    std::optional<Error> dead;
    bool ending = false;
  };
  struct Awaited {
    std::optional<std::promise<Result<sftp::Answer>>> call;
    bool slow = false;
    std::shared_ptr<ReadJob> job;  // a piece of it, if not a call
    Piece piece{};
  };
  // The packet that is coming in.
  struct Incoming {
    std::byte header[13];
    std::size_t header_bytes = 0;
    MutableByteView rest;  // where the bytes after the header still have to go
    sftp::Answer answer{};
    std::uint32_t id = 0;
    std::uint32_t data_bytes = 0;  // of DATA
  };

  void run();
  bool take_requests();  // false: it is time to end
  void take_read(std::deque<std::shared_ptr<ReadJob>>& from);
  void ask_piece(const std::shared_ptr<ReadJob>& job);
  void enqueue(sftp::Request request, Awaited awaited);
  Result<bool> write_out();
  Result<bool> read_in();
  Status begin_packet();
  Status end_packet();
  void settle_piece(const Awaited& piece, std::uint32_t got);
  void fail(ReadJob& job, Error error);
  void note_progress();
  void note_call();
  std::size_t most_in_flight() const;
  Status wait();
  void die(const Error& error);
  Error malformed(std::string_view what) const;
  void add_load(std::size_t bytes) { load_ += bytes; }

  const std::string host_;
  const Limits limits_;
  Guarded<Queue> queue_;
  Wakeup wakeup_;
  std::atomic<bool> alive_ = true;
  std::atomic<std::size_t> load_ = 0;
  std::atomic<Deadline::Clock::rep> last_used_;

  // Used by the engine's thread alone:
  std::unique_ptr<ByteChannel> channel_;
  std::unordered_map<std::uint32_t, Awaited> awaited_;
  std::uint32_t next_id_ = 1;
  std::size_t bytes_in_flight_ = 0;
  Deadline::Clock::time_point first_call_at_{};
  std::optional<FlightWindow> window_;  // once the first call has measured the round trip
  std::size_t slow_calls_ = 0;
  std::vector<std::byte> outgoing_;
  std::size_t outgoing_sent_ = 0;
  bool is_full_ = false;  // the channel had no room for it
  Incoming incoming_;
  std::uint64_t moved_seen_ = 0;
  Deadline::Clock::time_point moved_at_;

  std::jthread thread_;
};

}  // namespace restree
