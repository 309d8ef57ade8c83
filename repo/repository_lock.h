// A lock on a repository, held for as long as the object lives.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/format/lock_file.h"
#include "repo/repository.h"

namespace restree {

// A shared lock keeps others from taking an exclusive one (prune, check, forget), and is refused
// while there is one. Locks of other clients are never removed here, however old: that is for
// `restic unlock`.
// Ownership: the lock file, removed at the end; the repository must outlive it.
// Threads:   the object belongs to one; it refreshes its file from a thread of its own.
// Errors:    kLocked: who has it, where and since when. Others: those of the storage. A refresh
//            that fails is logged and tried again.
class RepositoryLock {
 public:
  // Restic takes a lock that was not refreshed for 30 minutes for dead.
  static constexpr std::chrono::minutes kRefreshInterval{5};

  static Result<std::unique_ptr<RepositoryLock>> acquire_shared(
      Repository& repository, Deadline by,
      std::chrono::milliseconds refresh_interval = kRefreshInterval);
  ~RepositoryLock();

 private:
  RepositoryLock(Repository& repository, std::string name,
                 std::chrono::milliseconds refresh_interval);
  void refresh();

  Repository& repository_;
  std::string name_;  // of the lock file there is now; after the start only thread_ touches it
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace restree
