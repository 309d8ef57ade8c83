// Where the links named `latest` lead each process that follows them.
//
// A program that copies through a link follows it anew for every file, and must not get files of
// two snapshots when a newer one arrives meanwhile. So a link goes on to lead a process to the same
// snapshot, for as long as the process lives and goes on to follow it.
//
// To be asked by such a program for every file takes two thirds of the time of a copy of small ones.
// So the kernel may keep the answer for a second and give it to all processes (it is shared), if it
// is right for all of them: it leads to the newest snapshot, and no process lives that has to be led
// elsewhere. Which processes got it in that time is not known here. So once there is a newer
// snapshot, each that lived then is taken for one that has followed the link, and for a day the
// answer is not shared again.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "fs/latest/processes.h"
#include "repo/base/guarded.h"
#include "repo/text/timestamp.h"

namespace restree {

// Threads: any.
// Limits:  kMost pairs of a process and a link. Those of processes that have ended are dropped now
//          and then; beyond the limit the least recently used pair is dropped, and its process gets
//          the newest snapshot the next time.
class FollowedLinks {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMost = 4096;
  // A process that lives for weeks and has not followed a link for this long gets the newest.
  static constexpr std::chrono::hours kKeptUnused{24};
  // How long the kernel may keep an answer that is shared, and how much later such an answer may
  // come to the kernel because the mount gets no processor.
  static constexpr std::chrono::seconds kShared{1};
  static constexpr std::chrono::seconds kLate{4};
  // An answer is shared when a process has asked so often in so short a time.
  static constexpr unsigned kBurst = 32;
  static constexpr std::chrono::milliseconds kBurstTime{100};

  // A snapshot, by the inode of the directory that shows it, and its name and time there.
  struct Target {
    std::uint64_t snapshot;
    std::string name;
    Timestamp time;
  };

  explicit FollowedLinks(std::shared_ptr<Processes> processes,
                         std::function<Clock::time_point()> now = Clock::now);

  struct Followed {
    Target target;
    bool is_shared = false;  // the kernel may give this answer to all processes for kShared
  };

  // Where the link in `directory` leads the process that `thread` belongs to: to `newest`, unless
  // that process has followed it before, or may have. A process that cannot be seen gets the newest
  // each time.
  Followed follow(pid_t thread, std::uint64_t directory, const Target& newest);

  std::size_t size() const { return state_.lock()->by_use.size(); }

 private:
  struct Key {
    Process process;
    std::uint64_t directory;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  struct Entry {
    Key key;
    Target target;
    Clock::time_point used;
    Clock::time_point burst_begun = used;
    unsigned burst = 0;  // how often it was followed since then
  };
  using Entries = std::list<Entry>;
  // What the kernel may have told processes that did not ask here.
  struct Shared {
    Target target;
    std::uint64_t until_tick;  // to processes that had begun by then
    Clock::time_point until;
  };
  struct State {
    std::unordered_map<std::uint64_t, Shared> shared;  // the last one, by directory
    Entries by_use;                                    // the least recently used comes first
    std::unordered_map<Key, Entries::iterator, KeyHash> by_key;
    std::size_t added = 0;        // pairs, since drop_ended() last ran
    std::size_t check_after = 0;  // how many may be added before it runs again
  };

  static bool is_burst(Entry& entry, Clock::time_point now);
  Target first_target(const State& state, const Key& key, const Target& newest,
                      Clock::time_point now) const REQUIRES(state_);
  // The processes that were led elsewhere.
  static std::set<Process> led_elsewhere(const State& state, std::uint64_t directory,
                                         const Target& newest);
  bool share(std::uint64_t directory, const Target& newest) EXCLUDES(state_);
  // Drops the pairs of processes that have ended, and what was not used for too long.
  void drop_ended() EXCLUDES(state_);

  const std::shared_ptr<Processes> processes_;
  const std::function<Clock::time_point()> now_;
  Guarded<State> state_;
};

}  // namespace restree
