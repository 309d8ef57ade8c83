// A lock on a repository, held for as long as the object lives.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/format/timestamp.h"
#include "repo/lock_files.h"
#include "repo/repository.h"

namespace restree {

// How long what takes; tests have no minutes.
struct LockTimes {
  // Between writing a lock and looking for others: two who start at the same time see each other.
  std::chrono::milliseconds settle{200};
  std::chrono::milliseconds refresh{std::chrono::minutes(5)};
  // After this long without a refresh others are about to take the lock for dead: kStaleAge, less
  // what clocks may differ by.
  std::chrono::milliseconds doubt{std::chrono::seconds(1350)};
  // Between attempts to get a lock, the first time; then twice as long each time, up to the other.
  std::chrono::milliseconds first_retry{std::chrono::seconds(5)};
  std::chrono::milliseconds longest_retry{std::chrono::minutes(1)};
  std::chrono::milliseconds unreadable_pause{std::chrono::seconds(5)};
};

struct LockRequest {
  bool exclusive = false;
  // For how long to try again while another has a conflicting lock.
  std::chrono::nanoseconds retry_for{0};
  std::stop_token stop = {};
  // Told, in a sentence, of a stale lock that was removed, and that somebody is waited for.
  std::function<void(const std::string&)> tell = {};
  LockTimes times = {};
};

// A shared lock keeps others from taking an exclusive one (prune, check, forget), and is refused
// while there is one. An exclusive lock keeps out everybody. A lock in the way that nobody holds
// any more is removed (see why_stale); the others are left alone.
//
// A lock that could not be refreshed for too long may have been removed by others. Then nothing is
// written until it could be replaced, or, if it was removed, nothing ever again: every later change
// of the repository fails with kLocked.
// Ownership: the lock file, removed at the end; the repository must outlive it.
// Threads:   the object belongs to one; it refreshes its file from a thread of its own.
// Errors:    kLocked: who has it, where and since when. kCorrupt: a lock that cannot be read.
//            kCancelled: `stop` was requested. Others: those of the storage. A refresh that fails
//            is logged and tried again.
// The program must survive SIGHUP: restic's `unlock` asks holders with it whether they live.
class RepositoryLock {
 public:
  static Result<std::unique_ptr<RepositoryLock>> acquire(Repository& repository,
                                                         const LockRequest& request, Deadline by);
  ~RepositoryLock();

  // As of the beginning: somebody had left a lock behind, so that his work may be unfinished; and
  // others have locks as well, so that what looks unfinished may be under way.
  bool found_leftovers() const { return found_leftovers_; }
  bool has_company() const { return has_company_; }

 private:
  RepositoryLock(Repository& repository, const LockRequest& request, std::string name,
                 const LockCheck& check);
  static Result<std::unique_ptr<RepositoryLock>> try_once(Repository& repository,
                                                          const LockRequest& request, Deadline by);
  void keep_fresh(const std::stop_token& stop);
  bool refresh();
  Status refresh_stale();
  enum class Doubt { kSettled, kStays, kLost };
  Doubt settle_doubt();
  Result<bool> file_exists();

  Repository& repository_;
  const bool exclusive_;
  const bool found_leftovers_;
  const bool has_company_;
  const LockTimes times_;
  std::string name_;  // of the lock file there is now; after the start only thread_ touches it
  bool told_of_doubt_ = false;  // only thread_ touches it
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace restree
