// The lock files of a repository: which of them conflict with a new lock, and which are stale.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/format/lock_file.h"
#include "repo/lock/machine.h"
#include "repo/repository.h"

namespace restree {

// What a lock of this process says, as of now.
LockFile own_lock(bool exclusive, const Machine& machine = this_machine());

// Looks for locks that conflict with one of its own: an exclusive lock conflicts with all others, a
// shared one with exclusive ones. Locks that do not conflict are never touched, dead or not.
// Threads: one.
class LockCheck {
 public:
  struct Options {
    bool exclusive = false;
    // Whether conflicting locks are removed once it is certain that nobody holds them (why_dead).
    // Otherwise they are ignored.
    bool takes_over = true;
    // Whether a lock file that cannot be read is in nobody's way, however young it is: for readers, who get
    // an error at worst where somebody works beside them.
    bool passes_unreadable = false;
    // Before an unreadable lock file is read again, the first time; then twice as long each time.
    std::chrono::milliseconds unreadable_pause{5'000};
    std::stop_token stop = {};
    Machine machine = this_machine();
    // Locks that the caller knows to be dead, by the names of their files, and why.
    std::set<std::string> known_dead = {};
    std::string known_why = {};
    // Receives a sentence for each lock that was removed because nobody holds it any more.
    std::function<void(const std::string&)> warn = {};
    // Receives a sentence for each such lock that was passed by.
    std::function<void(const std::string&)> tell = {};
    // The same for each lock file that cannot be read and was passed by.
    std::function<void(const std::string&)> tell_unreadable = {};
  };
  LockCheck(Repository& repository, Options options);

  // `own`: the name of the caller's own file. Nothing is removed unless all conflicting locks are
  // dead.
  // kLocked: the message says who holds the lock, where, and since when. kCorrupt: a lock file
  // stays unreadable, and has not been there for so long that its holder would have refreshed it since.
  Status run(const std::string& own, Deadline by);

  // The names of the locks that run() has seen and that were left behind by processes that died.
  const std::set<std::string>& dead() const { return dead_; }
  // Whether run() has seen locks of others that may go on beside the caller's own.
  bool has_company() const { return !harmless_.empty(); }
  // The names of the lock files because of which the last run() failed with kLocked.
  const std::set<std::string>& in_the_way() const { return in_the_way_; }

 private:
  struct Found {
    std::string name;
    LockFile lock;
    std::string why_dead;
  };
  Status look(const std::string& own, Deadline by);
  bool is_known(const std::string& name) const;
  // Whether a lock file that cannot be read belongs to nobody any more, or need not be heeded.
  bool may_pass(const ListedFile& file, std::int64_t now) const;
  void tell_unreadable(const std::string& name, const std::string& why);
  // kLocked: the lock conflicts and may be alive. A dead one that conflicts is added to `dead`.
  Status judge(const std::string& name, const LockFile& lock, std::vector<Found>& dead);
  Status take_over(const Found& found, Deadline by);

  Repository& repository_;
  const Options options_;
  // Files never change: each is read once.
  std::set<std::string> harmless_;
  std::set<std::string> dead_;
  std::set<std::string> in_the_way_;
  std::set<std::string> told_;  // unreadable ones
};

// Removes the locks that are stale by restic's rule (why_stale) or, if `all`, every lock, also
// those of living processes. Returns how many were removed. Lock files that cannot be read stay,
// unless `all`.
Result<std::size_t> remove_locks(Repository& repository, bool all, Deadline by,
                                 const Machine& machine = this_machine());

}  // namespace restree
