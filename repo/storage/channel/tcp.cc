#include "repo/storage/channel/tcp.h"

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"

namespace restree {

namespace {

constexpr int kIdleBeforeProbes = 15;  // seconds
constexpr int kBetweenProbes = 5;      // seconds
constexpr int kProbes = 3;
constexpr int kUnacknowledged = 30'000;  // milliseconds

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

// getaddrinfo(3) knows no deadline, so a thread of its own makes the call and is left behind if it
// does not return in time; what it shares with the caller lives until both are done with it.
struct Lookup {
  struct Answer {
    std::optional<int> outcome;
    Addresses addresses;
  };
  Guarded<Answer> answer;
  Wakeup done;
};

int look_up(const std::string& host, const std::string& service, int flags, Addresses& found) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int outcome = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &list);
  found.reset(list);
  return outcome;
}

Result<Addresses> resolve(const std::string& host, std::uint16_t port, const Patience& patience) {
  const std::string service = std::to_string(port);
  Addresses numeric;
  if (look_up(host, service, AI_NUMERICHOST, numeric) == 0) return numeric;

  auto lookup = std::make_shared<Lookup>();
  const auto look = [lookup, host, service] {
    Addresses found;
    const int outcome = look_up(host, service, AI_ADDRCONFIG, found);
    *lookup->answer.lock() = {outcome, std::move(found)};
    lookup->done.wake();
  };
  try {
    std::thread(look).detach();
  } catch (const std::system_error&) {  // the system has no more threads to give
    look();
  }
  patience.wait(lookup->done.fd(), POLLIN);
  auto answer = lookup->answer.lock();
  const std::optional<int> outcome = answer->outcome;
  if (!outcome) {
    return Error(ErrorKind::kUnavailable,
                 fmt::format("{}: no answer from the name service in time", host));
  }
  if (*outcome != 0) {
    return Error(ErrorKind::kUnavailable,
                 fmt::format("{}: no address for this name: {}", host, ::gai_strerror(*outcome)));
  }
  return std::move(answer->addresses);
}

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

// 0 or the errno of the failure.
int connect_to(const addrinfo& address, const Patience& patience, UniqueFd& connected) {
  UniqueFd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return errno;
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd.get(), IPPROTO_TCP, TCP_KEEPIDLE, kIdleBeforeProbes);
  set_option(fd.get(), IPPROTO_TCP, TCP_KEEPINTVL, kBetweenProbes);
  set_option(fd.get(), IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  set_option(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledged);
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return errno;
    if (!patience.wait(fd.get(), POLLOUT)) return ETIMEDOUT;
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return failure;
  }
  connected = std::move(fd);
  return 0;
}

}  // namespace

Result<UniqueFd> connect_tcp(const std::string& host, std::uint16_t port,
                             const Patience& patience) {
  ASSIGN_OR_RETURN(const Addresses addresses, resolve(host, port, patience));
  int left = 0;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    ++left;
  }
  int failure = ETIMEDOUT;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    const auto share = Deadline::after(patience.by.remaining() / left--);
    UniqueFd connected;
    failure = connect_to(*address, {share, patience.cancel}, connected);
    if (failure == 0) return connected;
    if (patience.cancelled()) break;
  }
  return Error(ErrorKind::kUnavailable,
               fmt::format("{} port {}: {}", host, port,
                           failure == ETIMEDOUT ? "the host does not answer"
                                                : std::generic_category().message(failure)));
}

}  // namespace restree
