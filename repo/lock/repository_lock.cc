#include "repo/lock/repository_lock.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/last_resort.h"
#include "repo/base/log.h"
#include "repo/base/restic_words.h"
#include "repo/base/waiting.h"
#include "repo/identity.h"
#include "repo/storage/decorators/write_gate.h"

namespace restree {
namespace {

using std::chrono::milliseconds;
using WallClock = std::chrono::system_clock;

constexpr std::chrono::seconds kRemovalTime{10};
constexpr milliseconds kBetweenLooks{10};
constexpr std::chrono::minutes kRefreshTime{1};
// The steady clock stands still while the machine sleeps, and other machines' clocks do not.
constexpr milliseconds kLookAtTheClock{1000};

Result<std::string> write_lock(Repository& repository, const LockRequest& request, Deadline by) {
  const std::string json = write_lock_file(own_lock(request.exclusive, request.machine));
  return repository.save_unpacked(FileType::kLock, as_bytes(json), by);
}

void remove_lock(Repository& repository, const std::string& name) {
  const Status removed =
      repository.storage().remove({FileType::kLock, name}, Deadline::after(kRemovalTime));
  if (removed || removed.error().kind() == ErrorKind::kNotFound) return;
  log::warning("a lock stays behind, until `unlock` removes it: {}", removed.error().message());
}

LockCheck::Options check_options(const LockRequest& request, const std::stop_token& stop) {
  return {.exclusive = request.exclusive,
          .takes_over = !request.reads_only,
          .passes_unreadable = request.reads_only,
          .unreadable_pause = request.times.unreadable_pause,
          .stop = stop,
          .machine = request.machine,
          .warn = request.warn ? request.warn
                               : [](const std::string& line) { log::warning("{}", line); },
          .tell = request.tell,
          .tell_unreadable = request.warn
                                 ? request.warn
                                 : [](const std::string& line) { log::warning("{}", line); }};
}

// A lock from the moment in which its writing begins: if the process is ended before there is a
// RepositoryLock for it, it is removed all the same.
// Threads: one; the undoing runs on another one.
class LockBeingMade {
 public:
  explicit LockBeingMade(Repository& repository)
      : repository_(repository), last_resort_([this] { undo(); }) {}

  // Called once. Empty: there is no lock.
  void is_written(const std::string& name) { *name_.lock() = name; }

 private:
  // Its name comes with the answer to the write.
  void undo() {
    const Deadline by = Deadline::after(kRemovalTime);
    const auto written = [&]() -> std::optional<std::string> { return *name_.lock(); };
    std::optional<std::string> name = written();
    for (; !name && !by.expired(); name = written()) std::this_thread::sleep_for(kBetweenLooks);
    if (name && !name->empty()) remove_lock(repository_, *name);
  }

  Repository& repository_;
  Guarded<std::optional<std::string>> name_;
  const LastResort last_resort_;  // last: it uses what is above
};

// Whether a reader whose lock was not written goes on without: where the storage refuses it (nobody may
// write there, it is a provider's picture, the disk is full), data must come back all the same.
bool reads_without(const LockRequest& request, const Error& not_written) {
  const ErrorKind kind = not_written.kind();
  return request.reads_only && kind != ErrorKind::kUnavailable && kind != ErrorKind::kCancelled;
}

void tell_unlocked(const LockRequest& request, const Error& not_written) {
  const std::string message = fmt::format(
      "no lock can be written, so this reads without one: should somebody prune the repository "
      "meanwhile, what is still to be read may be gone: {}",
      not_written.message());
  if (request.warn) return request.warn(message);
  log::warning("{}", message);
}

enum class GoWithout { kNever, kIfRefused };

// Looks for other locks, writes one, and looks again. Returns the name of the new lock, or none where a
// reader goes on without.
Result<std::optional<std::string>> claim(Repository& repository, const LockRequest& request,
                                         LockCheck& check, std::optional<LockBeingMade>& being_made,
                                         GoWithout go_without, Deadline by) {
  RETURN_IF_ERROR(check.run({}, by));
  being_made.emplace(repository);
  Result<std::string> written = write_lock(repository, request, by);
  being_made->is_written(written ? *written : "");
  if (!written && go_without == GoWithout::kIfRefused && reads_without(request, written.error())) {
    tell_unlocked(request, written.error());
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(std::string name, std::move(written));
  std::this_thread::sleep_for(request.times.settle);
  if (Status status = check.run(name, by); !status) {
    remove_lock(repository, name);
    return std::move(status).error();
  }
  return name;
}

Error lock_removed(const std::string& name) {
  return Error(
             ErrorKind::kLocked,
             fmt::format("the lock {} on the repository was removed by others", name.substr(0, 8)))
      .hinting(
          "Others may have changed the repository since; nothing more is written. Start again, and "
          "see that nobody runs `unlock --remove-all` meanwhile.");
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

// Counts for how long the same lock files have been in the way, in time that was really waited:
// neither a clock that is set nor a machine that sleeps makes it longer.
class Patience {
 public:
  void waited(const std::set<std::string>& in_the_way, milliseconds time) {
    std::map<std::string, milliseconds> now;
    for (const std::string& name : in_the_way) now[name] = waited_[name] + time;
    waited_ = std::move(now);
  }
  std::set<std::string> longer_than(milliseconds time) const {
    std::set<std::string> names;
    for (const auto& [name, waited] : waited_) {
      if (waited > time) names.insert(name);
    }
    return names;
  }

 private:
  std::map<std::string, milliseconds> waited_;
};

}  // namespace

Result<std::unique_ptr<RepositoryLock>> RepositoryLock::acquire(Repository& repository,
                                                                const LockRequest& request,
                                                                Deadline by) {
  using Clock = Deadline::Clock;
  const Clock::time_point end = Clock::now() + request.retry_for;
  milliseconds wait = request.times.first_retry;
  Patience patience;
  std::set<std::string> told;
  for (bool first = true;; first = false) {
    const bool last = Clock::now() >= end;
    LockCheck::Options options = check_options(request, request.stop);
    options.tell_unreadable = [&told, tell = options.tell_unreadable](const std::string& line) {
      if (told.insert(line).second) tell(line);
    };
    options.known_dead = patience.longer_than(request.times.stale);
    options.known_why = "nobody has refreshed it since this began to wait, " +
                        shown(request.times.stale) + " ago or more";
    LockCheck check(repository, std::move(options));
    auto lock = try_once(repository, request, check, by);
    if (request.stop.stop_requested()) return interrupted();
    if (lock || lock.error().kind() != ErrorKind::kLocked || last) return lock;
    if (const auto& tell = request.tell_waiting ? request.tell_waiting : request.tell;
        first && tell) {
      tell(fmt::format(restic_words::kWaitingForLock.text, shown(request.retry_for)));
    }
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    const milliseconds pause = std::clamp(left, milliseconds(0), wait);
    if (!sleep_for(request.stop, pause)) return interrupted();
    patience.waited(check.in_the_way(), pause);
    wait = std::min(wait * 2, request.times.longest_retry);
  }
}

Result<std::unique_ptr<RepositoryLock>> RepositoryLock::try_once(Repository& repository,
                                                                 const LockRequest& request,
                                                                 LockCheck& check, Deadline by) {
  std::optional<LockBeingMade> being_made;
  ASSIGN_OR_RETURN(std::optional<std::string> name,
                   claim(repository, request, check, being_made, GoWithout::kIfRefused, by));
  if (!name) return nullptr;
  return std::unique_ptr<RepositoryLock>(
      new RepositoryLock(repository, request, std::move(*name), check));
}

RepositoryLock::RepositoryLock(Repository& repository, LockRequest request, std::string name,
                               const LockCheck& check)
    : repository_(repository),
      request_(std::move(request)),
      dead_locks_(check.dead()),
      has_company_(check.has_company()),
      name_(std::move(name)) {
  if (!request_.reads_only) {
    repository_.write_gate().look_first([this](Deadline by) { return look(by); });
  }
  try {
    last_resort_.emplace([this] { remove_lock(repository_, this->name()); });
    thread_ = std::jthread([this](const std::stop_token& stop) { keep_fresh(stop); });
  } catch (...) {  // no memory, or no thread: nobody will call the destructor
    repository_.write_gate().look_first(nullptr);
    remove_lock(repository_, this->name());
    throw;
  }
}

RepositoryLock::~RepositoryLock() {
  thread_.request_stop();
  thread_.join();
  repository_.write_gate().look_first(nullptr);
  remove_lock(repository_, name());
}

void RepositoryLock::keep_fresh(const std::stop_token& stop) {
  const LockTimes& times = request_.times;
  const milliseconds slice = std::min(kLookAtTheClock, times.refresh);
  WallClock::time_point refreshed = WallClock::now();
  WallClock::time_point tried = refreshed;
  while (sleep_for(stop, slice)) {
    const WallClock::time_point now = WallClock::now();
    // Once in doubt it stays so until it is settled, even if the clock is set back meanwhile.
    const bool in_doubt = is_in_doubt_ || now - refreshed >= times.doubt;
    if (!in_doubt && now - tried < times.refresh && now >= tried) continue;
    tried = now;
    const Refreshed done = in_doubt ? settle_doubt() : refresh();
    if (done == Refreshed::kLost && (!request_.reads_only || !take_again(stop))) return;
    if (done != Refreshed::kNotYet) refreshed = tried = WallClock::now();
  }
}

RepositoryLock::Refreshed RepositoryLock::refresh() {
  const Status status = replace(milliseconds(0));
  if (status) return Refreshed::kDone;
  if (status.error().kind() == ErrorKind::kLocked) return lose(status.error());
  log::warning("cannot refresh the lock: {}", status.error().message());
  return Refreshed::kNotYet;
}

RepositoryLock::Refreshed RepositoryLock::settle_doubt() {
  WriteGate& gate = repository_.write_gate();
  is_in_doubt_ = true;
  gate.hold();
  const Status status = replace(request_.times.settle);
  if (status) {
    gate.open();
    is_in_doubt_ = false;
    told_of_doubt_ = false;
    return Refreshed::kDone;
  }
  if (status.error().kind() == ErrorKind::kLocked) return lose(status.error());
  // A storage that is known to be away refuses at once, so this is reached every second.
  if (!std::exchange(told_of_doubt_, true)) {
    log::error("cannot refresh the lock in time: {}", status.error().message());
  }
  return Refreshed::kNotYet;
}

RepositoryLock::Refreshed RepositoryLock::lose(const Error& error) {
  if (request_.reads_only) {
    log::warning("{}; reading goes on, and the lock is taken again when it can be",
                 error.message());
  } else {
    log::error("{}", error.for_people());
    repository_.write_gate().shut(error);
  }
  return Refreshed::kLost;
}

// The new file is written before the old one is removed, so that there is a lock at every moment. A
// program that takes the lock for dead removes its file before it begins. So if the old file is
// there before and after the new one is written, nobody has begun in between.
Status RepositoryLock::replace(milliseconds settle) {
  ASSIGN_OR_RETURN(const bool before, is_there(Deadline::after(kRefreshTime)));
  if (!before) return lock_removed(name());
  ASSIGN_OR_RETURN(std::string fresh,
                   write_lock(repository_, request_, Deadline::after(kRefreshTime)));
  std::this_thread::sleep_for(settle);
  const Result<bool> after = is_there(Deadline::after(kRefreshTime));
  if (!after || !*after) {
    remove_lock(repository_, fresh);
    if (!after) return after.error();
    return lock_removed(name());
  }
  const std::string old = std::exchange(*name_.lock(), std::move(fresh));
  remove_lock(repository_, old);
  return {};
}

// False if it was stopped before.
bool RepositoryLock::take_again(const std::stop_token& stop) {
  LockCheck::Options options = check_options(request_, stop);
  options.tell = {};  // may be for one thread only
  options.tell_unreadable = {};
  do {
    LockCheck check(repository_, options);
    std::optional<LockBeingMade> being_made;
    auto fresh = claim(repository_, request_, check, being_made, GoWithout::kNever,
                       Deadline::after(kRefreshTime));
    if (fresh) {
      *name_.lock() = std::move(**fresh);
      repository_.write_gate().open();
      is_in_doubt_ = false;
      return true;
    }
    log::info("the lock is not there yet: {}", fresh.error().message());
  } while (sleep_for(stop, std::min(request_.times.refresh, request_.times.longest_retry)));
  return false;
}

// The name is compared before and after the listing: a listing that lacks the file because thread_
// has just replaced it proves nothing.
Result<bool> RepositoryLock::is_there(Deadline by) {
  for (;;) {
    const std::string own = name();
    ASSIGN_OR_RETURN(const std::vector<ListedFile> files,
                     repository_.storage().list(FileType::kLock, by));
    const bool found = std::any_of(files.begin(), files.end(),
                                   [&](const ListedFile& file) { return file.name == own; });
    if (found || name() == own) return found;
  }
}

Status RepositoryLock::look(Deadline by) {
  // Not the steady clock, which stands still while the machine sleeps and others remove the lock.
  const WallClock::time_point now = WallClock::now();
  const auto seen = *seen_.lock();
  if (seen && now >= *seen && now - *seen < request_.times.good_look) return {};
  ASSIGN_OR_RETURN(const bool there, is_there(by));
  if (!there) return lock_removed(name());
  *seen_.lock() = now;
  return {};
}

}  // namespace restree
