// A repository in memory on which tests take locks and put those of others.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "repo/lock/repository_lock.h"
#include "tests/support/locks.h"
#include "tests/support/memory_repository.h"
#include "tests/support/process.h"

namespace restree::testing {

inline constexpr LockTimes kQuick{.settle = std::chrono::milliseconds(1),
                                  .first_retry = std::chrono::milliseconds(1),
                                  .unreadable_pause = std::chrono::milliseconds(1)};

class Locking : public ::testing::Test {
 protected:
  // Writes the lock of another; returns its name.
  std::string put(const LockFile& lock) {
    return files_.builder().add_sealed(FileType::kLock, write_lock_file(lock));
  }
  void remove(const std::string& name) { files_.remove({FileType::kLock, name}); }
  std::vector<std::string> names() { return lock_names(files_.storage()); }

  // A lock of a process of this machine that is gone.
  static LockFile dead_lock(bool exclusive) {
    LockFile lock = own_lock(exclusive);
    lock.pid = number_of_a_dead_process();
    return lock;
  }

  LockRequest request(bool exclusive) {
    return {.exclusive = exclusive,
            .tell = [this](const std::string& message) { told_.push_back(message); },
            .warn = [this](const std::string& message) { warned_.push_back(message); },
            .times = kQuick};
  }
  LockRequest reading(bool exclusive) {
    LockRequest wanted = request(exclusive);
    wanted.reads_only = true;
    return wanted;
  }
  Result<std::unique_ptr<RepositoryLock>> acquire(const LockRequest& wanted) {
    return RepositoryLock::acquire(*repository_, wanted, soon());
  }
  Result<std::unique_ptr<RepositoryLock>> acquire(bool exclusive) {
    return acquire(request(exclusive));
  }

  MemoryRepository files_;
  std::unique_ptr<Repository> repository_ = files_.open();
  std::vector<std::string> told_;
  std::vector<std::string> warned_;
};

}  // namespace restree::testing
