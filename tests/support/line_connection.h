// A connection through an emulated line: two sockets, and what is under way between them.
//
// Ownership: the sockets. Threads: the emulator's alone. Limits: `window` bytes under way in each
// direction; beyond that the sender's socket is read no further, as with TCP's window.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/unique_fd.h"
#include "tests/support/line_link.h"

namespace restree::testing {

// A socket that does not block, and what edge-triggered epoll has said of it and no call refuted.
struct LineSocket {
  UniqueFd fd;
  bool readable = false;
  bool writable = false;
};

// One end of a connection. `crossings` is how often bytes had to cross the line, one after the other,
// until this end knew what it knows: what it sends now may be an answer to the last that came. All
// clients are one program to the line, and share theirs.
struct LineEnd {
  LineSocket& socket;
  std::uint64_t& crossings;
};

// The bytes from one end to the other.
class LineFlow {
 public:
  LineFlow(LineEnd from, LineEnd to, std::size_t window, LineTime starts_at)
      : from_(from), to_(to), window_(window), starts_at_(starts_at) {}

  // Reads one turn and lets it enter the link; returns how many bytes.
  std::size_t take_turn(LineLink& link, LineTime now);
  // Writes what has arrived, as far as the receiver takes it.
  void deliver(LineTime now);
  // The sender's socket has failed: a reset travels to the receiver.
  void fail(LineLink& link, LineTime now);
  void shift(std::chrono::nanoseconds by);

  // There is something to read, or an end to be seen, from now on or from starts_at() on.
  bool waiting() const { return from_.socket.readable && end_ == End::kNone && bytes_ < window_; }
  LineTime starts_at() const { return starts_at_; }
  // When deliver() has something to do next, if the receiver has room.
  std::optional<LineTime> due_at() const;

  // The receiver has got the end of the stream; a reset; it takes nothing any more.
  bool finished() const { return delivered_ == End::kClosed; }
  bool reset() const { return delivered_ == End::kReset; }
  bool broken() const { return broken_; }

  std::uint64_t last_turn = 0;  // for the code that gives out the turns

 private:
  enum class End : std::uint8_t { kNone, kClosed, kReset };
  struct Piece {
    LineTime arrives_at;
    std::string bytes;
    std::uint64_t crossings;  // with its own
  };

  void enter_end(End end, LineLink& link, LineTime now);
  void drop_front();
  bool write_front();  // false: no more now

  LineEnd from_;
  LineEnd to_;
  std::size_t window_;
  LineTime starts_at_;
  std::deque<Piece> under_way_;
  std::vector<std::string> spare_;  // memory of pieces that have arrived
  std::size_t written_ = 0;         // of the front
  std::size_t bytes_ = 0;           // under way
  End end_ = End::kNone;            // has entered the link
  LineTime end_arrives_at_{};
  End delivered_ = End::kNone;
  bool broken_ = false;
};

// `client` has connected to the emulator, `server` is the emulator's own connection to the server.
struct LineConnection {
  // `crossings`: of all clients.
  LineConnection(UniqueFd accepted, std::size_t window, std::chrono::nanoseconds rtt, LineTime now,
                 std::uint64_t& crossings)
      : client{std::move(accepted)},
        server_crossings(crossings + 3),
        up({client, crossings}, {server, server_crossings}, window, now + rtt),
        down({server, server_crossings}, {client, crossings}, window, now),
        connects_at(now + rtt + rtt / 2) {}
  LineConnection(const LineConnection&) = delete;
  LineConnection& operator=(const LineConnection&) = delete;

  bool connected() const { return static_cast<bool>(server.fd) || failed; }
  // Nothing more will pass.
  bool over() const;
  // Both peers see a reset, at once.
  void abort();

  LineSocket client;
  LineSocket server;
  // Three for TCP's handshake, after which the server can say something.
  std::uint64_t server_crossings;
  LineFlow up;
  LineFlow down;
  LineTime connects_at;
  bool failed = false;  // there is no server
};

}  // namespace restree::testing
