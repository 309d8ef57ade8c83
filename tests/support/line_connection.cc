#include "tests/support/line_connection.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace restree::testing {

std::size_t LineFlow::take_turn(LineLink& link, LineTime now) {
  std::array<char, LineLink::kLongestTurn> buffer;
  const std::size_t most = std::min({buffer.size(), link.turn_bytes(), window_ - bytes_});
  const ssize_t got = ::recv(from_.socket.fd.get(), buffer.data(), most, 0);
  if (got > 0) {
    const auto size = static_cast<std::size_t>(got);
    const LineTime arrives_at = link.pass(size, now);
    if (broken_) return size;
    std::string bytes;
    if (!spare_.empty()) {
      bytes = std::move(spare_.back());
      spare_.pop_back();
    }
    bytes.assign(buffer.data(), size);
    under_way_.push_back({arrives_at, std::move(bytes), from_.crossings + 1});
    bytes_ += size;
    return size;
  }
  if (got < 0 && errno == EINTR) return 0;
  from_.socket.readable = false;
  if (got == 0) {
    enter_end(End::kClosed, link, now);
  } else if (errno != EAGAIN) {
    fail(link, now);
  }
  return 0;
}

void LineFlow::fail(LineLink& link, LineTime now) { enter_end(End::kReset, link, now); }

void LineFlow::enter_end(End end, LineLink& link, LineTime now) {
  end_ = end;
  end_arrives_at_ = link.pass(0, now);
}

void LineFlow::deliver(LineTime now) {
  while (!under_way_.empty() && under_way_.front().arrives_at <= now && to_.socket.writable) {
    if (!write_front()) break;
  }
  if (!under_way_.empty() || end_ == End::kNone || delivered_ != End::kNone) return;
  // A stream ends at an open socket only; a reset needs none.
  if (end_arrives_at_ > now || (end_ == End::kClosed && !to_.socket.writable && !broken_)) return;
  if (end_ == End::kClosed) ::shutdown(to_.socket.fd.get(), SHUT_WR);
  delivered_ = end_;
}

bool LineFlow::write_front() {
  const std::string& bytes = under_way_.front().bytes;
  const ssize_t put = ::send(to_.socket.fd.get(), bytes.data() + written_, bytes.size() - written_,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
  if (put < 0) {
    if (errno == EINTR) return true;
    to_.socket.writable = false;
    if (errno == EAGAIN) return false;
    broken_ = true;
    under_way_.clear();
    bytes_ = written_ = 0;
    return false;
  }
  to_.crossings = std::max(to_.crossings, under_way_.front().crossings);
  written_ += static_cast<std::size_t>(put);
  bytes_ -= static_cast<std::size_t>(put);
  if (written_ == bytes.size()) drop_front();
  return true;
}

// The next piece has its memory: fresh pages would cost more than all else here.
void LineFlow::drop_front() {
  constexpr std::size_t kMostSpare = 64;
  if (spare_.size() < kMostSpare) spare_.push_back(std::move(under_way_.front().bytes));
  under_way_.pop_front();
  written_ = 0;
}

std::optional<LineTime> LineFlow::due_at() const {
  if (!under_way_.empty()) {
    if (to_.socket.writable) return under_way_.front().arrives_at;
    return std::nullopt;
  }
  if (end_ == End::kNone || delivered_ != End::kNone) return std::nullopt;
  if (end_ == End::kClosed && !to_.socket.writable && !broken_) return std::nullopt;
  return end_arrives_at_;
}

void LineFlow::shift(std::chrono::nanoseconds by) {
  for (Piece& piece : under_way_) piece.arrives_at += by;
  end_arrives_at_ += by;
  starts_at_ += by;
}

bool LineConnection::over() const {
  if (up.reset() || down.reset()) return true;
  if (up.broken() || down.broken()) return up.finished() || down.finished();
  return up.finished() && down.finished();
}

void LineConnection::abort() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  for (LineSocket* socket : {&client, &server}) {
    if (!socket->fd) continue;
    ::setsockopt(socket->fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket->fd.reset();
  }
}

}  // namespace restree::testing
