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
  return static_cast<std::size_t>(mix64(key.directory ^ mix64(id ^ mix64(key.process.started))));
}

FollowedLinks::FollowedLinks(std::shared_ptr<Processes> processes,
                             std::function<Clock::time_point()> now)
    : processes_(std::move(processes)), now_(std::move(now)) {
  state_.lock()->check_after = next_check_after(0);
}

bool FollowedLinks::is_burst(Entry& entry, Clock::time_point now) {
  if (now - entry.burst_begun > kBurstTime) {
    entry.burst_begun = now;
    entry.burst = 0;
  }
  if (++entry.burst < kBurst) return false;
  entry.burst = 0;
  return true;
}

FollowedLinks::Target FollowedLinks::first_target(const State& state, const Key& key,
                                                  const Target& newest,
                                                  Clock::time_point now) const {
  const auto shared = state.shared.find(key.directory);
  if (shared == state.shared.end()) return newest;
  const bool may_have_followed =
      key.process.started <= shared->second.until_tick && now - shared->second.until < kKeptUnused;
  return may_have_followed ? shared->second.target : newest;
}

FollowedLinks::Followed FollowedLinks::follow(pid_t thread, std::uint64_t directory,
                                              const Target& newest) {
  const std::optional<Process> process = processes_->of_thread(thread);
  if (!process) return {newest};
  const Key key{*process, directory};
  const Clock::time_point now = now_();
  Target target;
  bool check = false;
  bool asks_often = false;
  {
    auto state = state_.lock();
    const auto known = state->by_key.find(key);
    if (known != state->by_key.end()) {
      Entry& entry = *known->second;
      if (now - entry.used >= kKeptUnused) entry.target = newest;
      entry.used = now;
      asks_often = is_burst(entry, now);
      target = entry.target;
      state->by_use.splice(state->by_use.end(), state->by_use, known->second);
    } else {
      target = first_target(*state, key, newest, now);
      if (state->by_use.size() >= kMost) {
        state->by_key.erase(state->by_use.front().key);
        state->by_use.pop_front();
      }
      state->by_key.emplace(key, state->by_use.insert(state->by_use.end(), {key, target, now}));
      check = ++state->added >= state->check_after;
      if (check) state->added = 0;
    }
  }
  if (check) drop_ended();
  return {target, asks_often && share(directory, newest)};
}

std::set<Process> FollowedLinks::led_elsewhere(const State& state, std::uint64_t directory,
                                               const Target& newest) {
  std::set<Process> processes;
  for (const Entry& entry : state.by_use) {
    if (entry.key.directory == directory && entry.target.snapshot != newest.snapshot) {
      processes.insert(entry.key.process);
    }
  }
  return processes;
}

bool FollowedLinks::share(std::uint64_t directory, const Target& newest) {
  std::set<Process> elsewhere;
  {
    auto state = state_.lock();
    elsewhere = led_elsewhere(*state, directory, newest);
  }
  // Without the lock, since each is a look into /proc.
  if (std::ranges::any_of(elsewhere, [&](const Process& one) { return processes_->lives(one); })) {
    return false;
  }
  const std::uint64_t until_tick = processes_->tick_in(kShared + kLate);
  const Clock::time_point now = now_();
  auto state = state_.lock();
  // Meanwhile another thread may have been told of a snapshot that is newer still.
  if (!std::ranges::includes(elsewhere, led_elsewhere(*state, directory, newest))) return false;
  const auto before = state->shared.find(directory);
  if (before != state->shared.end() && before->second.target.snapshot != newest.snapshot &&
      now - before->second.until < kKeptUnused) {
    return false;
  }
  state->shared.insert_or_assign(directory, Shared{newest, until_tick, now + kShared + kLate});
  return true;
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
  std::erase_if(state->shared,
                [&](const auto& shared) { return now - shared.second.until >= kKeptUnused; });
  state->check_after = next_check_after(state->by_use.size());
}

}  // namespace restree
