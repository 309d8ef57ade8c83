// The inside of a LineEmulator: the sockets, the connections, what moves them, and the faults.
//
// Threads: run() and all else that has no lock belong to one thread; others may call submit(),
// wake() and port(). Never polls: epoll and a timer say when there is something to do.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <stop_token>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/unique_fd.h"
#include "tests/support/line_connection.h"
#include "tests/support/line_emulator.h"
#include "tests/support/line_link.h"

namespace restree::testing {

// One direction: its link, and that half of each connection that goes over it.
struct LineDirection {
  LineFlow& of(LineConnection& connection) const { return connection.*flow; }
  const LineFlow& of(const LineConnection& connection) const { return connection.*flow; }

  LineFlow LineConnection::*flow;
  LineLink link;
  std::uint64_t bytes = 0;
  std::uint64_t turns = 0;
  bool waited_for = false;  // when the last pass ended
};

class Line {
 public:
  explicit Line(const LineOptions& options);

  void run(const std::stop_token& stop);
  void submit(std::function<void()> task);  // run() calls it
  void wake() const;

  std::uint16_t port() const { return port_; }
  LineCounts counts() const;
  void cut();
  void stall(std::chrono::nanoseconds time);
  void refuse();
  void go_on();

 private:
  void watch(int fd, std::uint32_t events, void* who) const;
  void watch(LineSocket& socket) const;
  void unwatch(const UniqueFd& fd) const;
  void unwatch(const LineConnection& connection) const;
  void handle_events();
  void run_tasks();
  void accept_all();
  void connect(LineConnection& connection, LineTime now);
  void pass();
  bool take_turn(LineDirection& direction, LineTime now);
  LineFlow* next_to_enter(const LineDirection& direction, LineTime now);
  void end_stall(LineTime now);
  void remove_what_is_over();
  std::optional<LineTime> next_time() const;
  void arm_timer() const;

  LineOptions options_;
  std::size_t window_;
  std::array<LineDirection, 2> directions_;  // up, down

  // Keeps the port while `listener_` is closed, which is what refuses connections.
  UniqueFd holder_;
  std::uint16_t port_;
  UniqueFd listener_;
  UniqueFd timer_;
  UniqueFd waker_;
  UniqueFd epoll_;

  std::uint64_t crossings_ = 0;  // until the clients knew what they know
  std::list<LineConnection> connections_;
  std::uint64_t connections_ever_ = 0;
  std::uint64_t turns_ = 0;
  LineTime stalled_since_{};
  std::optional<LineTime> stalled_until_;
  Guarded<std::vector<std::function<void()>>> tasks_;
};

}  // namespace restree::testing
