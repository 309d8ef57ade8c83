#include "fs/latest/followed_links.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "repo/base/name_hash.h"

namespace restree {
namespace {

// Looking at every process costs time in proportion to their number, so about as many pairs are
// added between two looks. Fewer when there is little room left, so that pairs of ended processes
// are dropped before those of living ones.
constexpr std::size_t kFewestBetweenLooks = 64;
constexpr std::size_t kFewestBetweenLooksWhenFull = 256;

std::size_t next_look_after(std::size_t kept) {
  const std::size_t room = FollowedLinks::kMost - kept;
  return std::clamp(kept, kFewestBetweenLooks, std::max(room, kFewestBetweenLooksWhenFull));
}

}  // namespace

std::size_t FollowedLinks::KeyHash::operator()(const Key& key) const {
  const auto id = static_cast<std::uint64_t>(key.process.id);
  return mix64(key.directory ^ mix64(id ^ mix64(key.process.started)));
}

FollowedLinks::FollowedLinks(std::shared_ptr<Processes> processes,
                             std::function<Clock::time_point()> now)
    : processes_(std::move(processes)), now_(std::move(now)) {
  state_.lock()->look_after = next_look_after(0);
}

FollowedLinks::Target FollowedLinks::follow(pid_t thread, std::uint64_t directory,
                                            const Target& newest) {
  const std::optional<Process> process = processes_->of_thread(thread);
  if (!process) return newest;
  const Key key{*process, directory};
  const Clock::time_point now = now_();
  bool look = false;
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
    look = ++state->added >= state->look_after;
    if (look) state->added = 0;
  }
  if (look) drop_ended();
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
  state->look_after = next_look_after(state->by_use.size());
}

}  // namespace restree
