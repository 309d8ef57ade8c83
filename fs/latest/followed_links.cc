#include "fs/latest/followed_links.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "repo/base/name_hash.h"

namespace restree {
namespace {

// How many pairs may be added before drop_ended() runs again: about as many as are kept, since it
// costs time in proportion to their number. Near the limit it is no more than there is room for, so
// that pairs of ended processes are dropped before those of living ones; but not fewer than
// kLeastNearTheLimit, or each new pair would cost a look at all processes.
constexpr std::size_t kLeast = 64;
constexpr std::size_t kLeastNearTheLimit = 256;

std::size_t next_check_after(std::size_t kept) {
  const std::size_t room = FollowedLinks::kMost - kept;
  return std::clamp(kept, kLeast, std::max(room, kLeastNearTheLimit));
}

}  // namespace

std::size_t FollowedLinks::KeyHash::operator()(const Key& key) const {
  const auto id = static_cast<std::uint64_t>(key.process.id);
  return mix64(key.directory ^ mix64(id ^ mix64(key.process.started)));
}

FollowedLinks::FollowedLinks(std::shared_ptr<Processes> processes,
                             std::function<Clock::time_point()> now)
    : processes_(std::move(processes)), now_(std::move(now)) {
  state_.lock()->check_after = next_check_after(0);
}

FollowedLinks::Target FollowedLinks::follow(pid_t thread, std::uint64_t directory,
                                            const Target& newest) {
  const std::optional<Process> process = processes_->of_thread(thread);
  if (!process) return newest;
  const Key key{*process, directory};
  const Clock::time_point now = now_();
  bool check = false;
  {
    auto state = state_.lock();
    const auto known = state->by_key.find(key);
    if (known != state->by_key.end()) {
      Entry& entry = *known->second;
      if (now - entry.used >= kKeptUnused) entry.target = newest;
      entry.used = now;
      state->by_use.splice(state->by_use.end(), state->by_use, known->second);
      return entry.target;
    }
    if (state->by_use.size() >= kMost) {
      state->by_key.erase(state->by_use.front().key);
      state->by_use.pop_front();
    }
    state->by_key.emplace(key, state->by_use.insert(state->by_use.end(), {key, newest, now}));
    check = ++state->added >= state->check_after;
    if (check) state->added = 0;
  }
  if (check) drop_ended();
  return newest;
}

void FollowedLinks::drop_ended() {
  std::set<Process> ended;
  {
    auto state = state_.lock();
    for (const Entry& entry : state->by_use) ended.insert(entry.key.process);
  }
  // Without the lock, since each is a look into /proc.
  std::erase_if(ended, [&](const Process& process) { return processes_->lives(process); });
  const Clock::time_point now = now_();
  auto state = state_.lock();
  state->by_use.remove_if([&](const Entry& entry) {
    if (now - entry.used < kKeptUnused && !ended.contains(entry.key.process)) return false;
    state->by_key.erase(entry.key);
    return true;
  });
  state->check_after = next_check_after(state->by_use.size());
}

}  // namespace restree
