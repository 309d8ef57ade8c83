#include "tests/support/line.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <string>
#include <system_error>
#include <utility>

namespace restree::testing {
namespace {

using std::chrono::nanoseconds;

// How many bytes may wait in a sender's socket. The kernel's own choice grows to 32 MiB, which
// would be a line with seconds of queue before it.
constexpr int kReceiveBuffer = 256 * 1024;  // the kernel doubles it
constexpr std::size_t kLeastWindow = std::size_t{1} << 20;
constexpr std::size_t kWindowWithoutRate = std::size_t{32} << 20;
// Turns of each direction between two looks at what the kernel has to say.
constexpr int kRoundsPerPass = 64;

[[noreturn]] void fail(const char* doing) {
  throw std::system_error(errno, std::generic_category(), std::string("line emulator: ") + doing);
}
int checked(int result, const char* doing) {
  if (result < 0) fail(doing);
  return result;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}
sockaddr* generic(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

void set_option(const UniqueFd& fd, int level, int name, int value) {
  checked(::setsockopt(fd.get(), level, name, &value, sizeof value), "setsockopt");
}

// With the options that forwarding wants; accepted sockets inherit them.
UniqueFd make_socket() {
  UniqueFd fd(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(fd, SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

UniqueFd bound_socket(std::uint16_t port) {
  UniqueFd fd = make_socket();
  auto address = loopback(port);
  checked(::bind(fd.get(), generic(address), sizeof address), "bind");
  return fd;
}

std::uint16_t port_of(const UniqueFd& fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  checked(::getsockname(fd.get(), generic(address), &size), "getsockname");
  return ntohs(address.sin_port);
}

std::size_t window_of(const LineOptions& options) {
  if (options.window > 0) return options.window;
  if (options.bytes_per_second == 0) return kWindowWithoutRate;
  const std::chrono::duration<double> rtt = options.rtt;
  return kLeastWindow +
         static_cast<std::size_t>(static_cast<double>(options.bytes_per_second) * rtt.count());
}

}  // namespace

Line::Line(const LineOptions& options)
    : options_(options),
      window_(window_of(options)),
      directions_{{{&LineConnection::up,
                    LineLink(options.up_bytes_per_second != 0 ? options.up_bytes_per_second
                                                              : options.bytes_per_second,
                             options.rtt / 2)},
                   {&LineConnection::down, LineLink(options.bytes_per_second, options.rtt / 2)}}},
      holder_(bound_socket(options.port)),
      port_(port_of(holder_)),
      timer_(checked(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd")),
      waker_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  watch(timer_.get(), EPOLLIN, &timer_);
  watch(waker_.get(), EPOLLIN, &waker_);
  go_on();
}

void Line::watch(int fd, std::uint32_t events, void* who) const {
  epoll_event event{};
  event.events = events;
  event.data.ptr = who;
  checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void Line::watch(LineSocket& socket) const {
  watch(socket.fd.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &socket);
}

// Closing is not enough: a child that another thread has just started holds the socket until it
// executes its program, and until then epoll goes on to report it.
void Line::unwatch(const UniqueFd& fd) const {
  if (fd) static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr));
}

void Line::unwatch(const LineConnection& connection) const {
  unwatch(connection.client.fd);
  unwatch(connection.server.fd);
}

void Line::submit(std::function<void()> task) {
  tasks_.lock()->push_back(std::move(task));
  wake();
}

void Line::wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(::write(waker_.get(), &one, sizeof one) > 0);
}

void Line::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    handle_events();
    ++turns_;
    run_tasks();
    const LineTime now = options_.now();
    if (stalled_until_ && *stalled_until_ <= now) end_stall(now);
    if (!stalled_until_) pass();
    remove_what_is_over();
    arm_timer();
  }
}

void Line::handle_events() {
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), -1);
  if (count < 0 && errno != EINTR) fail("epoll_wait");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    std::uint64_t ignored = 0;
    if (event.data.ptr == &timer_ || event.data.ptr == &waker_) {
      const auto& fd = *static_cast<UniqueFd*>(event.data.ptr);
      static_cast<void>(::read(fd.get(), &ignored, sizeof ignored) > 0);
    } else if (event.data.ptr == &listener_) {
      accept_all();
    } else {
      auto& socket = *static_cast<LineSocket*>(event.data.ptr);
      constexpr std::uint32_t kEnds = EPOLLHUP | EPOLLERR;
      if ((event.events & (EPOLLIN | EPOLLRDHUP | kEnds)) != 0) socket.readable = true;
      if ((event.events & (EPOLLOUT | kEnds)) != 0) socket.writable = true;
    }
  }
}

void Line::run_tasks() {
  const auto tasks = std::exchange(*tasks_.lock(), {});
  for (const auto& task : tasks) task();
}

void Line::accept_all() {
  while (true) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd && errno == EAGAIN) return;
    if (!fd && (errno == ECONNABORTED || errno == EINTR)) continue;
    if (!fd) fail("accept");
    // The end of a stall makes everything later by all of the stall.
    const LineTime now = stalled_until_ ? stalled_since_ : options_.now();
    watch(connections_.emplace_back(std::move(fd), window_, options_.rtt, now, crossings_).client);
    ++connections_ever_;
  }
}

void Line::connect(LineConnection& connection, LineTime now) {
  connection.server.fd = make_socket();
  auto address = loopback(options_.to);
  if (::connect(connection.server.fd.get(), generic(address), sizeof address) < 0 &&
      errno != EINPROGRESS) {
    connection.failed = true;
    connection.down.fail(directions_[1].link, now);
    return;
  }
  watch(connection.server);
}

// Moves all that may move now.
void Line::pass() {
  for (LineDirection& direction : directions_) {
    const LineTime now = options_.now();
    const bool waited_for = next_to_enter(direction, now) != nullptr;
    if (waited_for && !direction.waited_for) direction.link.begin_waiting(now);
  }
  for (int round = 0; round < kRoundsPerPass; ++round) {
    const LineTime now = options_.now();
    for (LineConnection& connection : connections_) {
      if (!connection.connected() && connection.connects_at <= now) connect(connection, now);
      connection.up.deliver(now);
      connection.down.deliver(now);
    }
    bool moved = false;
    for (LineDirection& direction : directions_) moved |= take_turn(direction, now);
    if (!moved) break;
  }
  for (LineDirection& direction : directions_) {
    direction.waited_for = next_to_enter(direction, options_.now()) != nullptr;
  }
}

bool Line::take_turn(LineDirection& direction, LineTime now) {
  if (!direction.link.has_room(now)) return false;
  LineFlow* const flow = next_to_enter(direction, now);
  if (flow == nullptr) return false;
  direction.bytes += flow->take_turn(direction.link, now);
  flow->last_turn = ++direction.turns;
  return true;
}

// Of the waiting connections, the one whose last turn is longest ago.
LineFlow* Line::next_to_enter(const LineDirection& direction, LineTime now) {
  LineFlow* next = nullptr;
  for (LineConnection& connection : connections_) {
    LineFlow& flow = direction.of(connection);
    if (!flow.waiting() || flow.starts_at() > now) continue;
    if (next == nullptr || flow.last_turn < next->last_turn) next = &flow;
  }
  return next;
}

void Line::remove_what_is_over() {
  connections_.remove_if([this](LineConnection& connection) {
    if (!connection.over()) return false;
    unwatch(connection);
    if (!connection.up.finished() || !connection.down.finished()) connection.abort();
    return true;
  });
}

std::optional<LineTime> Line::next_time() const {
  if (stalled_until_) return stalled_until_;
  std::optional<LineTime> next;
  const auto consider = [&](LineTime time) { next = next ? std::min(*next, time) : time; };
  for (const LineConnection& connection : connections_) {
    if (!connection.connected()) consider(connection.connects_at);
    for (const LineDirection& direction : directions_) {
      const LineFlow& flow = direction.of(connection);
      if (const auto due = flow.due_at()) consider(*due);
      if (flow.waiting()) consider(std::max(flow.starts_at(), direction.link.room_at()));
    }
  }
  return next;
}

void Line::arm_timer() const {
  itimerspec when{};
  if (const auto next = next_time()) {
    // All zero would disarm it.
    const auto from_now = std::max(*next - options_.now(), nanoseconds(1));
    when.it_value.tv_sec = from_now / std::chrono::seconds(1);
    when.it_value.tv_nsec = static_cast<long>((from_now % std::chrono::seconds(1)).count());
  }
  checked(::timerfd_settime(timer_.get(), 0, &when, nullptr), "timerfd_settime");
}

LineCounts Line::counts() const {
  return {.up_bytes = directions_[0].bytes,
          .down_bytes = directions_[1].bytes,
          .connections = connections_ever_,
          .open = connections_.size(),
          .turns = turns_,
          .round_trips = crossings_ / 2};
}

void Line::cut() {
  for (LineConnection& connection : connections_) {
    unwatch(connection);
    connection.abort();
  }
  connections_.clear();
}

void Line::stall(nanoseconds time) {
  const LineTime now = options_.now();
  if (!stalled_until_) stalled_since_ = now;
  stalled_until_ = now + time;
}

void Line::end_stall(LineTime now) {
  stalled_until_.reset();
  const nanoseconds by = now - stalled_since_;
  for (LineDirection& direction : directions_) direction.link.shift(by);
  for (LineConnection& connection : connections_) {
    connection.up.shift(by);
    connection.down.shift(by);
    connection.connects_at += by;
  }
}

void Line::refuse() {
  unwatch(listener_);
  listener_.reset();
}

void Line::go_on() {
  if (stalled_until_) end_stall(options_.now());
  if (listener_) return;
  listener_ = bound_socket(port_);
  checked(::listen(listener_.get(), SOMAXCONN), "listen");
  watch(listener_.get(), EPOLLIN, &listener_);
}

}  // namespace restree::testing
