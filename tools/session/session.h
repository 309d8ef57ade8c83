// One run of a command: its options, its output, and the repository that it uses.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "program/second_opening.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/crypto/secret.h"
#include "repo/lock/repository_lock.h"
#include "repo/repository.h"
#include "repo/storage/storage.h"
#include "repo/trees/trees_ahead.h"
#include "tools/cli/global_options.h"
#include "tools/output/io.h"
#include "tools/output/output.h"

namespace restree {

class ChosenStorage;
class DiskCache;
class VisitRecord;

// The ToWrite variants ignore --no-lock, which is for commands that only read, and remove dead
// locks that are in the way. kShared and kExclusive ignore dead locks and leave them there.
enum class Locking { kNone, kShared, kExclusive, kSharedToWrite, kExclusiveToWrite };

// Whether data may be read from the disk cache, if there is one. kFromStorage is for commands that
// report what the storage itself holds. A command that only reads (kShared with kThroughCache) also
// works from the cache alone while the storage cannot be reached: then a line on standard error
// says so, and no lock is taken.
enum class Reading { kThroughCache, kFromStorage };

// Makes the storage for a location; tests pass functions of their own.
using StorageMaker = std::function<Result<std::shared_ptr<Storage>>(
    const std::string& location, const GlobalOptions& options, const std::stop_token& stop)>;

// The storage that the location names.
Result<std::shared_ptr<Storage>> storage_at(const std::string& location,
                                            const GlobalOptions& options,
                                            const std::stop_token& stop);

struct OtherRepository {
  std::unique_ptr<Repository> repository;
  std::unique_ptr<RepositoryLock> lock;  // nullptr: none was taken
};

// Ownership: owns the repository and its lock; `io` must outlive it.
// Threads:   one; stop() may be called by any.
// Errors:    of open(): those of Repository::open and RepositoryLock.
class Session {
 public:
  Session(GlobalOptions options, Io& io, std::stop_token stop, StorageMaker make_storage);
  ~Session();

  const GlobalOptions& options() const { return options_; }
  // For all that the command prints; io() is for what the options do not change.
  const Output& output() const { return output_; }
  Io& io() const { return output_.io(); }
  // Requested by SIGINT, by SIGTERM, and when a write to standard output fails.
  const std::stop_token& stop() const { return stop_; }
  // kCancelled once a stop is requested. For loops: RETURN_IF_ERROR(session.go_on()).
  Status go_on() const;
  // The deadline for a request to the storage that begins now, retries included.
  Deadline patience() const { return Deadline::after(options_.patience); }

  // Options for walks through trees: they end when a stop is requested, and print to standard error
  // the nodes that they leave out.
  TreesAheadOptions trees_ahead() const;

  // The location of the repository, as the options give it. A file that names it is read once, so
  // that it may be a pipe.
  Result<std::string> location() const;
  // Whether the repository is on another machine, judged by its location.
  bool is_far() const;
  // The storage at that location, for commands that change key files or config of a repository which
  // cannot be opened yet: what they list, write and remove is noted. Nothing is read from it yet.
  Result<std::shared_ptr<Storage>> storage();
  // After such a command, for the journal of this machine: opens the repository in `storage`, which is
  // storage() or on it. Whatever fails is a line in the log.
  void see_changed(std::shared_ptr<Storage> storage, const Secret& password,
                   const std::string& key_hint);
  // After a new repository was made at the location.
  void see_new(const RepositoryId& id);
  // For commands that read data from standard input: no password is looked for there.
  void keep_input_for_data() { input_is_data_ = true; }
  // For commands that write content to standard output: it gets nothing else.
  void keep_output_for_data() { output_is_data_ = true; }
  // From open() on, packs, index files and snapshots are copied there before they are removed. `where`: a
  // folder of this machine, or kInRepository.
  Status keep_removed_in(const std::string& where);
  static constexpr std::string_view kInRepository = "repository";
  // The storage of those copies.
  Result<std::shared_ptr<Storage>> quarantine(const std::string& where) const;
  // The password from the options, the environment, standard input or a prompt.
  Result<Secret> password(PasswordIs which = PasswordIs::kKnown) const;
  // Calls `use` with that password, and asks again for one that was typed and is wrong.
  Status with_password(const std::function<Status(const Secret&)>& use) const;

  // What the repository has lost is read from that one, if options or variables name it. For commands
  // that only read, before open().
  Status use_second(const RepositoryAccess& access);

  // What the index does not name, or names wrongly, is looked for in the headers of packs;
  // `replaces_index`: so is all else, and index files are not read. For commands that only read, before
  // open().
  void use_headers(bool replaces_index) { headers_replace_index_ = replaces_index; }

  // The repository. The first call opens and locks it; later ones ignore the arguments.
  Result<Repository*> open(Locking locking, Reading reading = Reading::kThroughCache);
  // Another repository with the same SSH options, read from its storage alone, and locked as by open().
  Result<OtherRepository> open_other(const RepositoryAccess& access, Locking locking) const;
  // Whether the lock that open() took keeps everybody else out.
  bool has_exclusive_lock() const { return lock_ != nullptr && lock_is_exclusive_; }
  // Gives the lock back, and takes an exclusive one to write; others may come in between. After an
  // error there is no lock, and nothing may be written any more.
  Status lock_exclusively();
  // The same with a shared lock to write.
  Status lock_shared();
  // The lock that open() took; nullptr if it took none.
  const RepositoryLock* lock() const { return lock_.get(); }
  // The repository's disk cache; nullptr if it has none.
  DiskCache* cache() const { return cache_.get(); }
  // What this run sees, for the journal of this machine.
  VisitRecord& visit() { return *visit_; }
  // Keeps that at the end of the command. Whatever fails is a line in the log.
  void keep_visit(const std::string& command);
  // open(), and loads the index of all blobs.
  Result<Repository*> open_with_index(Locking locking);

 private:
  RepositoryAccess access() const;
  Result<std::shared_ptr<Storage>> plain_storage();
  // The same text for the same location.
  Result<std::string> address() const;
  bool wants_lock(Locking locking) const;
  // nullptr: it is not to be locked.
  Result<std::unique_ptr<RepositoryLock>> lock_repository(Repository& repository,
                                                          Locking locking) const;
  Status open_repository(Locking locking, Reading reading);
  void add_second(Reading reading);
  Status clean_caches() const;
  // kInvalid: with --as-of nothing is written.
  Status check_as_of(Locking locking) const;
  // From now on only what this machine had seen by then is listed.
  Status go_back(ChosenStorage& storage) const;
  Status lock_anew(Locking locking);
  void tell_waiting(const std::string& message) const;

  const GlobalOptions options_;
  const Output output_;
  const std::stop_token stop_;
  const StorageMaker make_storage_;
  mutable std::optional<Result<std::string>> location_;  // once it was looked up
  bool input_is_data_ = false;
  bool output_is_data_ = false;
  std::shared_ptr<Storage> storage_;
  std::shared_ptr<Storage> noted_storage_;  // in front of it
  std::optional<SecondPlace> second_;
  std::optional<bool> headers_replace_index_;  // nullopt: headers are not read
  std::shared_ptr<Storage> quarantine_;        // nullptr: what is removed is not kept
  std::shared_ptr<DiskCache> cache_;
  std::unique_ptr<VisitRecord> visit_;
  std::unique_ptr<Repository> changed_;  // of see_changed()
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<RepositoryLock> lock_;
  bool lock_is_exclusive_ = false;
};

}  // namespace restree
