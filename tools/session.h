// One run of a command: its options, its output, and the repository that it works on.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/crypto/secret.h"
#include "repo/repository.h"
#include "repo/repository_lock.h"
#include "repo/storage/storage.h"
#include "tools/global_options.h"
#include "tools/io.h"
#include "tools/trees_ahead.h"

namespace restree {

class DiskCache;

// ToWrite: also with --no-lock, and dead locks in the way are removed; the others pass them by.
enum class Locking { kNone, kShared, kExclusive, kSharedToWrite, kExclusiveToWrite };

// Whether what is read may come from the cache on disk, if there is one: not for who wants to know
// what the storage holds. With a shared lock, which is for who only reads, it may also be all that
// there is, while the storage is out of reach: then a line says so, and there is no lock.
enum class Reading { kThroughCache, kFromStorage };

// Makes the storage for a location; tests have their own.
using StorageMaker = std::function<Result<std::shared_ptr<Storage>>(
    const std::string& location, const GlobalOptions& options, const std::stop_token& stop)>;

// The local or SFTP storage that the location names.
Result<std::shared_ptr<Storage>> storage_at(const std::string& location,
                                            const GlobalOptions& options,
                                            const std::stop_token& stop);

// Ownership: the repository and the lock on it, given back when the session ends.
// Threads:   one; stop() may be asked by any.
// Errors:    of open(): as Repository::open and RepositoryLock say.
class Session {
 public:
  Session(GlobalOptions options, Io& io, std::stop_token stop, StorageMaker make_storage);

  const GlobalOptions& options() const { return options_; }
  Io& io() const { return io_; }
  // Requested by SIGINT, SIGTERM, and by an output that nobody reads any more.
  const std::stop_token& stop() const { return stop_; }
  // A line of the output that is for people: not with --json nor --quiet.
  void say(const std::string& line) const;
  // kCancelled once that is so: for loops, RETURN_IF_ERROR(session.go_on()).
  Status go_on() const;
  // By when one request to the storage must be answered, retries included.
  Deadline patience() const { return Deadline::after(options_.patience); }

  // How often to show progress; zero: never.
  std::chrono::nanoseconds progress_interval() const;
  // For walks through trees: they end with the session, and name on standard error what they leave
  // out.
  TreesAheadOptions trees_ahead() const;

  // The storage that the options name, and its location in their words. Nothing is read yet.
  Result<std::string> location() const;
  // It lies on another machine, as far as its location tells.
  bool is_far() const;
  Result<std::shared_ptr<Storage>> storage();
  // The password that the options, the environment or a person give.
  Result<Secret> password(PasswordIs which = PasswordIs::kKnown) const;

  // The repository, opened and locked as `locking` says.
  Result<Repository*> open(Locking locking, Reading reading = Reading::kThroughCache);
  // Another repository, opened and not locked, with the same SSH options.
  Result<std::unique_ptr<Repository>> open_other(const RepositoryAccess& access,
                                                 bool insecure_no_password) const;
  // The lock that open() took; nullptr: none.
  const RepositoryLock* lock() const { return lock_.get(); }
  // The repository's cache on disk; nullptr: it has none.
  DiskCache* cache() const { return cache_.get(); }
  // open() and the index of all blobs.
  Result<Repository*> open_with_index(Locking locking);

 private:
  bool wants_lock(Locking locking) const;
  Status open_repository(Locking locking, Reading reading);
  Status clean_caches() const;
  // A message beside the output, for people.
  void tell(const std::string& message) const;

  const GlobalOptions options_;
  Io& io_;
  const std::stop_token stop_;
  const StorageMaker make_storage_;
  std::shared_ptr<Storage> storage_;
  std::shared_ptr<DiskCache> cache_;
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<RepositoryLock> lock_;
};

}  // namespace restree
