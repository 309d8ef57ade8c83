// A lock on a repository, held for as long as the object lives.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/last_resort.h"
#include "repo/base/result.h"
#include "repo/lock/lock_files.h"
#include "repo/lock/lock_holder.h"
#include "repo/lock/machine.h"
#include "repo/repository.h"
#include "repo/text/timestamp.h"

namespace restree {

// The times that a lock keeps to; tests set shorter ones.
struct LockTimes {
  // Between writing a lock and looking for others, so that two programs that start at the same time
  // see each other.
  std::chrono::milliseconds settle{200};
  std::chrono::milliseconds refresh{std::chrono::minutes(5)};
  // After this long without a refresh others are about to take the lock for dead: kStaleAge, less
  // what clocks may differ by.
  std::chrono::milliseconds doubt{std::chrono::seconds(1350)};
  // Between attempts to get a lock: the first pause, which doubles each time up to the longest.
  std::chrono::milliseconds first_retry{std::chrono::seconds(5)};
  std::chrono::milliseconds longest_retry{std::chrono::minutes(1)};
  std::chrono::milliseconds unreadable_pause{std::chrono::seconds(5)};
  // A lock file that was not replaced while another waited this long is not refreshed any more.
  std::chrono::milliseconds stale{kStaleAge};
  // For how long a look at the own lock covers further changes.
  std::chrono::milliseconds good_look{std::chrono::seconds(1)};
};

struct LockRequest {
  bool exclusive = false;
  // For commands that change nothing: they remove no lock of others either, and go on without their
  // own if others remove it, or if the storage does not let them write one.
  bool reads_only = false;
  // For how long to try again while another has a conflicting lock.
  std::chrono::nanoseconds retry_for{0};
  std::stop_token stop = {};
  // Receives a sentence that says that a stale lock is left, or that another's lock is waited for.
  std::function<void(const std::string&)> tell = {};
  // Receives the latter in place of `tell`, if it is set.
  std::function<void(const std::string&)> tell_waiting = {};
  // Receives a sentence for each stale lock that was removed, or that says that there is no lock: a
  // warning. Without it the log does.
  std::function<void(const std::string&)> warn = {};
  LockTimes times = {};
  Machine machine = this_machine();
};

// A shared lock keeps others from taking an exclusive one (prune, check, forget), and is refused
// while there is one. An exclusive lock keeps out everybody. A lock in the way is removed if it is
// certain that nobody holds it any more: why_dead() says so, or it was the same file at every look
// while kStaleAge was waited for it, so that nobody refreshes it. Neither depends on a clock of
// another machine. Locks that are not in the way are left alone.
//
// A lock whose file is gone was removed by others, who now take the repository for free: then
// nothing is written ever again, and every later change of the repository fails with kLocked.
// Whether the file is there is checked at every refresh, and before every change that others rely
// on (see WriteGate). A lock that could not be refreshed for too long may soon be removed: nothing
// is written until its file was replaced. A lock for reading only is taken again if possible.
// Ownership: the lock file, removed at the end; the repository must outlive it. No change of the
//            repository may be under way at the end.
// Threads:   the object belongs to one; it refreshes its file from a thread of its own.
// Errors:    kLocked: the message says who holds the lock, where and since when. kCorrupt: a lock
//            file cannot be read.
//            kCancelled: `stop` was requested. Others: those of the storage. A refresh that fails
//            is logged and tried again.
// The program must survive SIGHUP: restic's `unlock` asks holders with it whether they live.
class RepositoryLock {
 public:
  // nullptr: `reads_only`, and the storage does not let a lock be written.
  static Result<std::unique_ptr<RepositoryLock>> acquire(Repository& repository,
                                                         const LockRequest& request, Deadline by);
  ~RepositoryLock();

  // As of the beginning: a process had died and left a lock behind, so that its work may be
  // unfinished; and others have locks as well, so that what looks unfinished may be under way.
  bool found_leftovers() const { return !dead_locks_.empty(); }
  bool has_company() const { return has_company_; }
  // The names of the lock files that were left behind, as of the beginning.
  const std::set<std::string>& dead_locks() const { return dead_locks_; }

 private:
  RepositoryLock(Repository& repository, LockRequest request, std::string name,
                 const LockCheck& check);
  static Result<std::unique_ptr<RepositoryLock>> try_once(Repository& repository,
                                                          const LockRequest& request,
                                                          LockCheck& check, Deadline by);
  enum class Refreshed { kDone, kNotYet, kLost };
  void keep_fresh(const std::stop_token& stop);
  Refreshed refresh();
  Refreshed settle_doubt();
  // Writes a new file and removes the old one. kLocked: the old one was removed by others.
  Status replace(std::chrono::milliseconds settle);
  Refreshed lose(const Error& error);
  bool take_again(const std::stop_token& stop);
  // Whether the lock's file is there. Any thread.
  Result<bool> is_there(Deadline by);
  // Looks for the file, unless that was done just now. kLocked: it was removed by others.
  Status look(Deadline by);
  std::string name() const { return *name_.lock(); }

  Repository& repository_;
  const LockRequest request_;
  const std::set<std::string> dead_locks_;
  const bool has_company_;
  // The name of the present lock file: when thread_ replaces the file, the new name is stored here
  // before the old file is removed.
  Guarded<std::string> name_;
  // When look() has found the file.
  Guarded<std::optional<std::chrono::system_clock::time_point>> seen_;
  bool is_in_doubt_ = false;    // the gate is held; only thread_ touches it
  bool told_of_doubt_ = false;  // only thread_ touches it
  std::optional<LastResort> last_resort_;
  std::jthread thread_;
};

}  // namespace restree
