#include "repo/repository_lock.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "repo/base/log.h"
#include "repo/identity.h"
#include "repo/storage/write_gate.h"

namespace restree {
namespace {

using std::chrono::milliseconds;
using WallClock = std::chrono::system_clock;

constexpr std::chrono::seconds kRemovalTime{10};
constexpr std::chrono::minutes kRefreshTime{1};
// The steady clock stands still while the machine sleeps, and other machines' clocks do not.
constexpr milliseconds kLookAtTheClock{1000};

Result<std::string> write_lock(Repository& repository, bool exclusive, Deadline by) {
  return repository.save_unpacked(FileType::kLock, as_bytes(write_lock_file(own_lock(exclusive))),
                                  by);
}

void remove_lock(Repository& repository, const std::string& name) {
  const Status removed =
      repository.storage().remove({FileType::kLock, name}, Deadline::after(kRemovalTime));
  if (removed || removed.error().kind() == ErrorKind::kNotFound) return;
  log::warning("a lock stays behind, until `unlock` removes it: {}", removed.error().message());
}

void sleep_for(milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any asked;
  std::unique_lock lock(mutex);
  asked.wait_for(lock, stop, time, [] { return false; });
}

Error lock_removed(const std::string& name) {
  return {ErrorKind::kLocked, fmt::format("the lock {} on the repository was removed by others "
                                          "while it could not be refreshed",
                                          name.substr(0, 8))};
}

Error interrupted() { return {ErrorKind::kCancelled, "interrupted while waiting for a lock"}; }

// As Go writes durations: "5m0s".
std::string shown(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  if (seconds < 60) {
    return fmt::format("{}s", std::chrono::duration<double>(time).count());
  }
  const std::string rest = fmt::format("{}m{}s", seconds / 60 % 60, seconds % 60);
  return seconds < 3600 ? rest : fmt::format("{}h{}", seconds / 3600, rest);
}

}  // namespace

Result<std::unique_ptr<RepositoryLock>> RepositoryLock::acquire(Repository& repository,
                                                                const LockRequest& request,
                                                                Deadline by) {
  using Clock = Deadline::Clock;
  const Clock::time_point end = Clock::now() + request.retry_for;
  milliseconds wait = request.times.first_retry;
  for (bool first = true;; first = false) {
    const bool last = Clock::now() >= end;
    auto lock = try_once(repository, request, by);
    if (request.stop.stop_requested()) return interrupted();
    if (lock || lock.error().kind() != ErrorKind::kLocked || last) return lock;
    if (first && request.tell) {
      request.tell("repo already locked, waiting up to " + shown(request.retry_for) +
                   " for the lock");
    }
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    sleep_for(std::clamp(left, milliseconds(0), wait), request.stop);
    if (request.stop.stop_requested()) return interrupted();
    wait = std::min(wait * 2, request.times.longest_retry);
  }
}

Result<std::unique_ptr<RepositoryLock>> RepositoryLock::try_once(Repository& repository,
                                                                 const LockRequest& request,
                                                                 Deadline by) {
  LockCheck check(repository, {.exclusive = request.exclusive,
                               .unreadable_pause = request.times.unreadable_pause,
                               .stop = request.stop,
                               .tell = request.tell});
  RETURN_IF_ERROR(check.run({}, by));
  ASSIGN_OR_RETURN(std::string name, write_lock(repository, request.exclusive, by));
  std::this_thread::sleep_for(request.times.settle);
  if (Status status = check.run(name, by); !status) {
    remove_lock(repository, name);
    return std::move(status).error();
  }
  return std::unique_ptr<RepositoryLock>(
      new RepositoryLock(repository, request, std::move(name), check));
}

RepositoryLock::RepositoryLock(Repository& repository, const LockRequest& request, std::string name,
                               const LockCheck& check)
    : repository_(repository),
      exclusive_(request.exclusive),
      found_leftovers_(check.has_removed()),
      has_company_(check.has_company()),
      times_(request.times),
      name_(std::move(name)),
      thread_([this](const std::stop_token& stop) { keep_fresh(stop); }) {}

RepositoryLock::~RepositoryLock() {
  thread_.request_stop();
  thread_.join();
  remove_lock(repository_, name_);
}

void RepositoryLock::keep_fresh(const std::stop_token& stop) {
  const milliseconds slice = std::min(kLookAtTheClock, times_.refresh);
  WallClock::time_point refreshed = WallClock::now();
  WallClock::time_point tried = refreshed;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait_for(lock, stop, slice, [] { return false; });
    if (stop.stop_requested()) return;
    const WallClock::time_point now = WallClock::now();
    if (now - refreshed >= times_.doubt) {
      const Doubt doubt = settle_doubt();
      if (doubt == Doubt::kLost) return;
      if (doubt == Doubt::kSettled) refreshed = tried = WallClock::now();
    } else if (now - tried >= times_.refresh || now < tried) {
      tried = now;
      if (refresh()) refreshed = now;
    }
  }
}

// The new file comes before the old one goes, so that there is a lock at every moment.
bool RepositoryLock::refresh() {
  Result<std::string> fresh = write_lock(repository_, exclusive_, Deadline::after(kRefreshTime));
  if (!fresh) {
    log::warning("cannot refresh the lock: {}", fresh.error().message());
    return false;
  }
  remove_lock(repository_, std::exchange(name_, std::move(*fresh)));
  return true;
}

RepositoryLock::Doubt RepositoryLock::settle_doubt() {
  WriteGate& gate = repository_.write_gate();
  gate.hold();
  const Status status = refresh_stale();
  if (status) {
    gate.open();
    told_of_doubt_ = false;
    return Doubt::kSettled;
  }
  // A storage that is known to be away refuses at once, so this comes round every second.
  const bool is_lost = status.error().kind() == ErrorKind::kLocked;
  if (!std::exchange(told_of_doubt_, true) || is_lost) {
    log::error("cannot refresh the lock in time: {}", status.error().message());
  }
  if (!is_lost) return Doubt::kStays;
  gate.shut(Error(ErrorKind::kLocked, status.error().message())
                .hinting("Others may have changed the repository since; nothing more is written. "
                         "Start again."));
  return Doubt::kLost;
}

// Whoever takes the lock for dead removes it first. So if it is there before and after the new one
// came, nobody has begun in between.
Status RepositoryLock::refresh_stale() {
  ASSIGN_OR_RETURN(const bool before, file_exists());
  if (!before) return lock_removed(name_);
  ASSIGN_OR_RETURN(std::string fresh,
                   write_lock(repository_, exclusive_, Deadline::after(kRefreshTime)));
  std::this_thread::sleep_for(times_.settle);
  const Result<bool> after = file_exists();
  if (!after || !*after) {
    remove_lock(repository_, fresh);
    if (!after) return after.error();
    return lock_removed(name_);
  }
  remove_lock(repository_, std::exchange(name_, std::move(fresh)));
  return {};
}

Result<bool> RepositoryLock::file_exists() {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files,
                   repository_.storage().list(FileType::kLock, Deadline::after(kRefreshTime)));
  return std::any_of(files.begin(), files.end(),
                     [&](const ListedFile& file) { return file.name == name_; });
}

}  // namespace restree
