#include "repo/lock/lock_files.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "repo/base/log.h"
#include "repo/base/readable.h"
#include "repo/base/restic_words.h"
#include "repo/base/waiting.h"
#include "repo/identity.h"
#include "repo/lock/lock_holder.h"
#include "repo/system/time_zone.h"
#include "repo/text/go_duration.h"

namespace restree {
namespace {

constexpr int kReadAttempts = 4;

Result<LockFile> load_lock(Repository& repository, const std::string& name, Deadline by) {
  ASSIGN_OR_RETURN(const Bytes json, repository.load_unpacked({FileType::kLock, name}, by));
  return parse_lock_file(json);
}

// Whether a file that is listed with no bytes has none: not every server lists sizes.
Result<bool> is_empty(Repository& repository, const std::string& name, Deadline by) {
  const Result<Bytes> content = repository.storage().read_all({FileType::kLock, name}, by);
  if (content) return content->size() == 0;
  if (content.error().kind() == ErrorKind::kNotFound) return true;  // removed since it was listed
  return content.error();
}

Status remove_lock(Repository& repository, const std::string& name, Deadline by) {
  Status removed = repository.storage().remove({FileType::kLock, name}, by);
  if (!removed && removed.error().kind() == ErrorKind::kNotFound) return {};
  return removed;
}

// As restic shows it: by the clocks of this place, to the second.
std::string lock_time(Timestamp time) {
  std::string text;
  append_timestamp(time, TimeZone::local(), text);
  text.resize(std::string_view("2026-09-01 03:00:00").size());
  text[text.find('T')] = ' ';
  return text;
}

std::string holder_of(const LockFile& lock) {
  return fmt::format("PID {} on {} by {} (UID {}, GID {})", lock.pid, readable(lock.hostname),
                     readable(lock.username), lock.uid, lock.gid);
}

// In restic's words and lines.
Error locked_by(const LockFile& lock, const std::string& name) {
  using namespace restic_words;
  const std::string since = fmt::format(kLockCreated.text, lock_time(lock.time),
                                        go_duration_between(lock.time, wall_clock_now()));
  const std::string id = fmt::format(kLockStorageId.text, name.substr(0, 8));
  return Error(ErrorKind::kLocked,
               fmt::format(kLockedBy.text, lock.exclusive ? "exclusively " : "", lock.pid,
                           readable(lock.hostname), readable(lock.username), lock.uid, lock.gid))
      .hinting(fmt::format("{}\n{}\n{}\nIf its holder is at work, wait for it to end, as "
                           "--retry-lock does.",
                           since, id, kUnlockRemoves.text));
}

Error unreadable(const Error& error, const std::string& name) {
  return Error(ErrorKind::kCorrupt, fmt::format("invalid lock file {}: {}", name, error.message()))
      .hinting(
          "The `unlock --remove-all` command removes invalid locks. Make sure that nobody "
          "else works with the repository then.");
}

// What the storage's clock shows, if the caller's own lock is there, which was written a moment ago; else
// what the clock here shows, which may be wrong, so that only what the first says is final.
std::int64_t time_beside(const std::string& own, const std::vector<ListedFile>& files) {
  const auto at = std::ranges::find(files, own, &ListedFile::name);
  if (at != files.end() && at->modified) return *at->modified;
  return wall_clock_now().seconds;
}

// False if there is no time left, or `stop` was requested.
bool pause(std::chrono::milliseconds time, const std::stop_token& stop, Deadline by) {
  const auto end = std::min(Deadline::Clock::now() + time, by.when());
  return sleep_until(stop, end) && !by.expired();
}

}  // namespace

LockFile own_lock(bool exclusive, const Machine& machine) {
  return {.time = wall_clock_now(),
          .exclusive = exclusive,
          .hostname = machine.hostname,
          .username = user_name(),
          .pid = machine.pid,
          .uid = ::getuid(),
          .gid = ::getgid(),
          .place = machine.place};
}

LockCheck::LockCheck(Repository& repository, Options options)
    : repository_(repository), options_(std::move(options)) {}

Status LockCheck::run(const std::string& own, Deadline by) {
  std::chrono::milliseconds wait = options_.unreadable_pause;
  for (int attempt = 1;; ++attempt, wait *= 2) {
    Status found = look(own, by);
    // It may be a lock that is being written just now.
    const bool may_settle = !found && found.error().kind() == ErrorKind::kCorrupt;
    if (!may_settle || attempt == kReadAttempts) return found;
    if (!pause(wait, options_.stop, by)) return found;
  }
}

bool LockCheck::is_known(const std::string& name) const {
  return harmless_.contains(name) || dead_.contains(name);
}

bool LockCheck::may_pass(const ListedFile& file, std::int64_t now) const {
  if (options_.passes_unreadable) return true;
  return file.modified && now - *file.modified > std::chrono::seconds(kStaleAge).count();
}

void LockCheck::tell_unreadable(const std::string& name, const std::string& why) {
  if (!options_.tell_unreadable || !told_.insert(name).second) return;
  options_.tell_unreadable(
      fmt::format("the lock file {} is passed by, as it cannot be read: {}; `unlock --remove-all` "
                  "removes it",
                  name, why));
}

Status LockCheck::look(const std::string& own, Deadline by) {
  in_the_way_.clear();
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files,
                   repository_.storage().list(FileType::kLock, by));
  const std::int64_t now = time_beside(own, files);
  std::optional<Error> conflict;
  std::optional<Error> damage;
  std::vector<Found> dead;
  for (const ListedFile& file : files) {
    if (file.name == own || is_known(file.name)) continue;
    if (file.size_bytes == 0) {
      const Result<bool> empty = is_empty(repository_, file.name, by);
      if (!empty) return empty.error();
      if (*empty && may_pass(file, now)) tell_unreadable(file.name, "it is empty");
      if (*empty) continue;
    }
    const Result<LockFile> lock = load_lock(repository_, file.name, by);
    if (lock) {
      const Status judged = judge(file.name, *lock, dead);
      if (!judged && !conflict) conflict = judged.error();
      continue;
    }
    const ErrorKind kind = lock.error().kind();
    if (kind == ErrorKind::kNotFound) continue;  // removed since it was listed
    if (kind != ErrorKind::kCorrupt && kind != ErrorKind::kUnsupported) return lock.error();
    if (may_pass(file, now)) {
      tell_unreadable(file.name, lock.error().message());
    } else {
      damage = unreadable(lock.error(), file.name);
    }
  }
  if (conflict) return std::move(*conflict);
  if (damage) return std::move(*damage);
  for (const Found& found : dead) RETURN_IF_ERROR(take_over(found, by));
  return {};
}

Status LockCheck::judge(const std::string& name, const LockFile& lock, std::vector<Found>& dead) {
  const bool conflicts = options_.exclusive || lock.exclusive;
  auto why = why_dead(lock, options_.machine, wall_clock_now());
  if (!why && options_.known_dead.contains(name)) why = options_.known_why;
  if (!conflicts) {
    (why ? dead_ : harmless_).insert(name);
    return {};
  }
  if (!why) {
    in_the_way_.insert(name);
    return locked_by(lock, name);
  }
  dead.push_back({name, lock, std::move(*why)});
  return {};
}

Status LockCheck::take_over(const Found& found, Deadline by) {
  const std::string lock = fmt::format("the stale lock of {} since {}: {}", holder_of(found.lock),
                                       format_timestamp(found.lock.time), found.why_dead);
  if (!options_.takes_over) {
    if (options_.tell) options_.tell("passed by " + lock + "; `unlock` removes it");
  } else {
    Status removed = remove_lock(repository_, found.name, by);
    if (!removed) return std::move(removed).error().with("remove a stale lock");
    if (options_.warn) options_.warn("removed " + lock);
  }
  dead_.insert(found.name);
  return {};
}

Result<std::size_t> remove_locks(Repository& repository, bool all, Deadline by,
                                 const Machine& machine) {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files,
                   repository.storage().list(FileType::kLock, by));
  std::size_t count = 0;
  for (const ListedFile& file : files) {
    if (!all) {
      const Result<LockFile> lock = load_lock(repository, file.name, by);
      if (!lock && lock.error().kind() == ErrorKind::kUnavailable) return lock.error();
      if (!lock) log::info("lock {} is left: {}", file.name, lock.error().message());
      if (!lock || !why_stale(*lock, machine, wall_clock_now())) continue;
    }
    RETURN_IF_ERROR(remove_lock(repository, file.name, by));
    ++count;
  }
  return count;
}

}  // namespace restree
