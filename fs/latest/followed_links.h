// Where the links named `latest` lead each process that follows them.
//
// A program that copies through a link follows it anew for every file, and must not get files of
// two snapshots when a newer one arrives meanwhile. So a link goes on to lead a process to the same
// snapshot, for as long as the process lives and goes on to follow it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
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

  // A snapshot, by the inode of the directory that shows it, and its name and time there.
  struct Target {
    std::uint64_t snapshot;
    std::string name;
    Timestamp time;
  };

  explicit FollowedLinks(std::shared_ptr<Processes> processes,
                         std::function<Clock::time_point()> now = Clock::now);

  // Where the link in `directory` leads the process that `thread` belongs to: to `newest`, unless
  // that process has followed it before. A process that cannot be seen gets the newest each time.
  Target follow(pid_t thread, std::uint64_t directory, const Target& newest);

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
  };
  using Entries = std::list<Entry>;
  struct State {
    Entries by_use;  // the least recently used comes first
    std::unordered_map<Key, Entries::iterator, KeyHash> by_key;
    std::size_t added = 0;        // pairs, since drop_ended() last ran
    std::size_t check_after = 0;  // how many may be added before it runs again
  };

  // Drops the pairs of processes that have ended, and pairs that were not used for too long.
  void drop_ended() EXCLUDES(state_);

  const std::shared_ptr<Processes> processes_;
  const std::function<Clock::time_point()> now_;
  Guarded<State> state_;
};

}  // namespace restree
