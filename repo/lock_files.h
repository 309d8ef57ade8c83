// The lock files of a repository: who has one, who is in the way, which are to be removed.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <set>
#include <stop_token>
#include <string>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/format/lock_file.h"
#include "repo/repository.h"

namespace restree {

// What a lock of this process says, as of now.
LockFile own_lock(bool exclusive);

// Looks for locks that conflict with one of its own.
// Threads: one.
class LockCheck {
 public:
  struct Options {
    bool exclusive = false;
    // Before an unreadable lock file is read again, the first time; then twice as long each time.
    std::chrono::milliseconds unreadable_pause{5'000};
    std::stop_token stop = {};
    // Told, in a sentence, of each lock that was removed because nobody holds it any more.
    std::function<void(const std::string&)> tell = {};
  };
  LockCheck(Repository& repository, Options options);

  // An exclusive lock conflicts with all others, a shared one with exclusive ones. A conflicting
  // lock that nobody holds any more (see why_stale) is removed. `own`: the name of one's own file.
  // kLocked: who has it, where, since when. kCorrupt: a lock file that stays unreadable.
  // A lock that does not conflict is removed only if its process died on this host.
  Status run(const std::string& own, Deadline by);

  // Whether run() has removed locks that were left behind.
  bool has_removed() const { return has_removed_; }
  // Whether run() has seen locks of others that may go on beside one's own.
  bool has_company() const { return !harmless_.empty(); }

 private:
  Status look(const std::string& own, Deadline by);
  Status judge(const std::string& name, const LockFile& lock, Deadline by);

  Repository& repository_;
  const Options options_;
  bool has_removed_ = false;
  std::set<std::string> harmless_;  // files never change: each is read once
};

// Removes the locks that nobody holds any more, or, if `all`, every one, whoever holds it. How many
// there were. Lock files that cannot be read stay, unless `all`.
Result<std::size_t> remove_locks(Repository& repository, bool all, Deadline by);

}  // namespace restree
