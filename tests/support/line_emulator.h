// A long line between programs of this machine: connections to its port of the loopback are
// forwarded to another port, and every byte arrives as late as such a line would bring it.
//
// What is emulated: half the round trip in each direction; a rate for each direction, shared fairly
// by all connections; the round trips of TCP's handshake (the server's greeting reaches a new
// client two round trips after its connect(), as on a real line, though connect() itself returns at
// once); ends of streams and resets, in order and as late as the bytes before them; faults, on
// command. What is not: loss, slow start, headers (rate and counts are of payload; TCP over
// Ethernet adds 5 %).
//
// Ownership: the port, the connections and a thread, all of which end with it.
// Threads:   any may call. Limits: `window` bytes under way for each connection and direction, and
//            512 KiB that wait in the sender's socket. On time to about 1 ms on an idle machine;
//            where the thread has to wait for a processor, bytes are late, but the rate is made up
//            for.
// Errors:    the constructor throws std::system_error. A machine out of descriptors or memory ends
//            the program.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

namespace restree::testing {

struct LineOptions {
  std::uint16_t to = 0;    // where connections are forwarded to
  std::uint16_t port = 0;  // 0: a free one
  std::chrono::nanoseconds rtt{0};
  std::uint64_t bytes_per_second = 0;     // in each direction; 0: no limit
  std::uint64_t up_bytes_per_second = 0;  // to the server, if that is another rate
  std::size_t window = 0;                 // 0: what the rate needs, and more
  // What time it is: a test's own makes time pass for the line alone. Called by the line's thread.
  std::function<std::chrono::steady_clock::time_point()> now = [] {
    return std::chrono::steady_clock::now();
  };
};

struct LineCounts {
  std::uint64_t up_bytes = 0;    // from clients to the server, as they enter the line
  std::uint64_t down_bytes = 0;  // from the server
  std::uint64_t connections = 0;
  std::uint64_t open = 0;   // of them
  std::uint64_t turns = 0;  // how often the thread was woken, by these looks as well
  // The longest chain of crossings that waited for each other, TCP's handshakes included, where whatever
  // a client sends counts as an answer to all that it had received. So on a long line it is how many
  // round trips the clients have waited for, however slow the machine is.
  std::uint64_t round_trips = 0;
};

class Line;

class LineEmulator {
 public:
  explicit LineEmulator(const LineOptions& options);
  ~LineEmulator();
  LineEmulator(const LineEmulator&) = delete;
  LineEmulator& operator=(const LineEmulator&) = delete;

  std::uint16_t port() const;
  LineCounts counts() const;

  // Each of these is in force when it returns.

  // Resets every connection at both ends; what is under way is lost. New ones work.
  void cut();
  // Nothing moves for so long, counted from now; nothing is lost.
  void stall(std::chrono::nanoseconds time);
  // New connections are refused; those there are live on.
  void refuse();
  // Ends a stall and a refusal.
  void go_on();

 private:
  void on_thread(const std::function<void()>& task) const;

  std::unique_ptr<Line> line_;
  std::jthread thread_;  // ends first
};

}  // namespace restree::testing
