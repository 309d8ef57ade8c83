#include "repo/repository_lock.h"

#include <fmt/core.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "repo/base/log.h"
#include "repo/identity.h"

namespace restree {
namespace {

// Between writing a lock and looking for others: two who start at the same time see each other.
constexpr std::chrono::milliseconds kSettleTime{200};
// A lock that is being written can be unreadable for a moment.
constexpr std::chrono::seconds kUnreadablePause{2};
constexpr std::chrono::seconds kRemovalTime{10};

LockFile own_shared_lock() {
  return {.time = wall_clock_now(),
          .exclusive = false,
          .hostname = host_name(),
          .username = user_name(),
          .pid = static_cast<std::uint32_t>(::getpid()),
          .uid = ::getuid(),
          .gid = ::getgid()};
}

Result<std::string> write_own_lock(Repository& repository, Deadline by) {
  return repository.save_unpacked(FileType::kLock, as_bytes(write_lock_file(own_shared_lock())),
                                  by);
}

Error locked_by(const LockFile& lock, const std::string& name) {
  return Error(ErrorKind::kLocked,
               fmt::format("the repository is locked exclusively by PID {} on {} by {} (UID {}, "
                           "GID {}) since {}; storage ID {}",
                           lock.pid, lock.hostname, lock.username, lock.uid, lock.gid,
                           format_timestamp(lock.time), name.substr(0, 8)))
      .hinting("If that process is gone for certain, `restic unlock` removes its lock.");
}

Result<LockFile> load_lock(Repository& repository, const std::string& name, Deadline by) {
  ASSIGN_OR_RETURN(const Bytes json, repository.load_unpacked({FileType::kLock, name}, by));
  return parse_lock_file(json);
}

// kLocked if somebody else has an exclusive lock. `own` is no reason.
Status refuse_if_locked(Repository& repository, const std::string& own, Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files,
                   repository.storage().list(FileType::kLock, by));
  for (const ListedFile& file : files) {
    if (file.name == own || file.size_bytes == 0) continue;
    Result<LockFile> lock = load_lock(repository, file.name, by);
    if (!lock && lock.error().kind() == ErrorKind::kCorrupt) {
      std::this_thread::sleep_for(
          std::min<Deadline::Clock::duration>(kUnreadablePause, by.remaining()));
      lock = load_lock(repository, file.name, by);
    }
    if (!lock && lock.error().kind() == ErrorKind::kNotFound) continue;
    if (!lock) return std::move(lock).error().with("lock " + file.name);
    if (lock->exclusive) return locked_by(*lock, file.name);
  }
  return {};
}

void remove_lock(Repository& repository, const std::string& name) {
  const Status removed =
      repository.storage().remove({FileType::kLock, name}, Deadline::after(kRemovalTime));
  if (removed || removed.error().kind() == ErrorKind::kNotFound) return;
  log::warning("a lock stays behind, until `restic unlock`: {}", removed.error().message());
}

}  // namespace

Result<std::unique_ptr<RepositoryLock>> RepositoryLock::acquire_shared(
    Repository& repository, Deadline by, std::chrono::milliseconds refresh_interval) {
  RETURN_IF_ERROR(refuse_if_locked(repository, {}, by));
  ASSIGN_OR_RETURN(std::string name, write_own_lock(repository, by));
  std::this_thread::sleep_for(kSettleTime);
  if (Status status = refuse_if_locked(repository, name, by); !status) {
    remove_lock(repository, name);
    return std::move(status).error();
  }
  return std::unique_ptr<RepositoryLock>(
      new RepositoryLock(repository, std::move(name), refresh_interval));
}

RepositoryLock::RepositoryLock(Repository& repository, std::string name,
                               std::chrono::milliseconds refresh_interval)
    : repository_(repository),
      name_(std::move(name)),
      thread_([this, refresh_interval](const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!stop.stop_requested()) {
          wake_.wait_for(lock, stop, refresh_interval, [] { return false; });
          if (!stop.stop_requested()) refresh();
        }
      }) {}

RepositoryLock::~RepositoryLock() {
  thread_.request_stop();
  thread_.join();
  remove_lock(repository_, name_);
}

// The new file comes before the old one goes, so that there is a lock at every moment.
void RepositoryLock::refresh() {
  Result<std::string> fresh = write_own_lock(repository_, Deadline::after(std::chrono::minutes(1)));
  if (!fresh) {
    log::warning("cannot refresh the lock: {}", fresh.error().message());
    return;
  }
  remove_lock(repository_, std::exchange(name_, std::move(*fresh)));
}

}  // namespace restree
