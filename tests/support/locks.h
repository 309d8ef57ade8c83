// Locks that others have on a repository.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "repo/lock/lock_files.h"
#include "repo/storage/storage.h"
#include "tests/support/matchers.h"

namespace restree::testing {

// The number of a process that has ended.
inline std::uint32_t number_of_a_dead_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return static_cast<std::uint32_t>(child);
}

// A lock of another host, whose processes cannot be seen from here.
inline LockFile lock_elsewhere(bool exclusive) {
  LockFile lock = own_lock(exclusive);
  lock.hostname = "elsewhere";
  lock.username = "bob";
  lock.pid = 4711;
  lock.place = std::nullopt;
  return lock;
}

inline std::vector<std::string> lock_names(Storage& storage) {
  std::vector<std::string> names;
  const auto by = Deadline::after(std::chrono::seconds(60));
  for (auto& file : value_of(storage.list(FileType::kLock, by))) names.push_back(file.name);
  return names;
}

}  // namespace restree::testing
