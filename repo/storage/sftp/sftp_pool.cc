#include "repo/storage/sftp/sftp_pool.h"

#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "repo/base/last_resort.h"
#include "repo/base/log.h"
#include "repo/base/thread_pool.h"
#include "repo/base/waiting.h"

namespace restree {
namespace {

// A connection that was used within this time is believed to work still.
constexpr std::chrono::seconds kTrusted{1};

}  // namespace

SftpPool::SftpPool(std::string host, std::size_t most, std::chrono::milliseconds connect_timeout,
                   Connect connect)
    : host_(std::move(host)),
      most_(std::max<std::size_t>(1, most)),
      connect_timeout_(connect_timeout),
      connect_(std::move(connect)) {
  start_some_threads(connectors_, std::min(most_, kOpenedAtOnce), [this] { run(); });
}

SftpPool::~SftpPool() {
  state_.lock()->ending = true;
  cancel_.wake();
  changed_.notify_all();
  connectors_.clear();
}

SftpPool::Connections SftpPool::bury(State& state) {
  const auto is_dead = [](const auto& connection) { return !connection->client().alive(); };
  if (std::none_of(state.connections.begin(), state.connections.end(), is_dead)) return {};
  // Whatever cut one connection may have cut all. An idle one cannot tell, and its next caller
  // would have to wait until it is found silent as well, so idle ones are dropped too.
  const auto lately = Deadline::Clock::now() - kTrusted;
  Connections dead;
  for (auto& connection : state.connections) {
    const auto& client = connection->client();
    const bool untried = client.load() == 0 && client.last_used() < lately;
    if (!client.alive() || untried) dead.push_back(std::move(connection));
  }
  std::erase(state.connections, nullptr);
  return dead;
}

std::size_t SftpPool::allowed(const State& state) const {
  const bool remembered = Deadline::Clock::now() < state.granted_until;
  return remembered ? std::min(most_, state.granted) : most_;
}

Result<std::shared_ptr<SftpConnection>> SftpPool::acquire(Deadline by) {
  Connections dead;
  auto state = state_.lock();
  const std::uint64_t attempts_before = state->attempts;
  while (true) {
    for (auto& connection : bury(*state)) dead.push_back(std::move(connection));
    if (!state->connections.empty()) {
      const auto least = *std::min_element(
          state->connections.begin(), state->connections.end(),
          [](const auto& a, const auto& b) { return a->client().load() < b->client().load(); });
      const std::size_t to_be = state->connections.size() + state->opening + state->wanted;
      if (least->client().load() >= kBusyBytes && to_be < allowed(*state)) {
        ++state->wanted;
        changed_.notify_all();
      }
      return least;
    }
    if (state->attempts != attempts_before && state->last_error) return *state->last_error;
    if (by.expired()) break;
    if (state->opening + state->wanted == 0) {
      state->wanted = 1;
      changed_.notify_all();
    }
    wait_for_notice(changed_, state, by);
  }
  if (state->last_error) return *state->last_error;
  return Error(ErrorKind::kUnavailable, fmt::format("{}: no connection in time", host_));
}

std::vector<std::shared_ptr<SftpConnection>> SftpPool::all() { return state_.lock()->connections; }

void SftpPool::run() {
  while (true) {
    {
      auto state = state_.lock();
      changed_.wait_for(state.mutex_lock(), kFileIdleLimit,
                        [&] { return state->wanted > 0 || state->ending; });
      if (state->ending) return;
    }
    tidy();
    attempt();
  }
}

void SftpPool::attempt() {
  {
    auto state = state_.lock();
    if (state->wanted == 0) return;
    --state->wanted;
    ++state->opening;
  }
  auto connection = connect();
  Connections dead;
  auto state = state_.lock();
  --state->opening;
  ++state->attempts;
  dead = bury(*state);
  if (connection) {
    state->connections.push_back(std::move(*connection));
    state->last_error.reset();
  } else {
    log::debug("{}", connection.error().message());
    state->last_error = std::move(connection).error();
    state->wanted = 0;  // callers that wanted one take what there is now
    if (!state->connections.empty()) {
      state->granted = state->connections.size();
      state->granted_until = Deadline::Clock::now() + kRefusalMemory;
    }
  }
  changed_.notify_all();
}

// A connection needs a thread, and memory for its buffers: if the system refuses them, those that
// there are may do.
Result<std::unique_ptr<SftpConnection>> SftpPool::connect() {
  try {
    return connect_({Deadline::after(connect_timeout_), &cancel_});
  } catch (const std::exception& failure) {
    return Error(ErrorKind::kUnavailable, host_ + ": " + error_of(failure).message());
  }
}

void SftpPool::tidy() {
  const auto now = Deadline::Clock::now();
  Connections dropped;
  Connections kept;
  {
    auto state = state_.lock();
    dropped = bury(*state);
    for (auto& connection : state->connections) {
      const auto& client = connection->client();
      if (client.load() == 0 && client.last_used() < now - kIdleLimit) {
        dropped.push_back(std::move(connection));
      }
    }
    std::erase(state->connections, nullptr);
    kept = state->connections;
  }
  for (const auto& connection : kept) connection->forget_unused_since(now - kFileIdleLimit);
}

}  // namespace restree
