#include "fs/restreefs/serving.h"

#include <fmt/core.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "cache/pack_fetcher.h"
#include "fs/fuse/fuse_session.h"
#include "fs/mount.h"
#include "fs/restreefs/refresher.h"
#include "fs/restreefs/status_sources.h"
#include "fs/restreefs/warming.h"
#include "program/access.h"
#include "program/repeated_visits.h"
#include "program/repository_opening.h"
#include "program/rescue_key.h"
#include "program/second_opening.h"
#include "program/ssh_settings.h"
#include "repo/base/log.h"
#include "repo/base/readable.h"
#include "repo/lock/repository_lock.h"
#include "repo/repository.h"
#include "repo/storage/decorators/breaker_storage.h"
#include "repo/storage/decorators/chosen_storage.h"

namespace restree {
namespace {

const SignalSet& stop_signals() {
  static const SignalSet signals{SIGINT, SIGTERM};
  return signals;
}

// --- The storage --------------------------------------------------------------------------------

// Nothing has been asked of it yet.
struct MadeStorage {
  std::stop_source giving_up;  // ends retries against a server that is away
  SshOptions ssh;
  std::shared_ptr<RescuedStorage> rescued;
  std::shared_ptr<BreakerStorage> breaker;  // on it
};

Result<MadeStorage> make_storage(const RestreefsOptions& options, const Location& location) {
  MadeStorage made;
  made.ssh = with_secret_sources(options.ssh, options.mount.time_limit);
  made.ssh.limits = make_rate_limits(options.upload_limit, options.download_limit);
  made.ssh.open_connections = std::make_shared<std::atomic<unsigned>>(0);
  ASSIGN_OR_RETURN(std::shared_ptr<Storage> asked,
                   location.make_storage(made.ssh, made.giving_up.get_token()));
  made.rescued = std::make_shared<RescuedStorage>(std::move(asked));
  RETURN_IF_ERROR(add_rescue_key(options.access, *made.rescued));
  made.breaker = std::make_shared<BreakerStorage>(
      made.rescued, BreakerTiming{.patience = options.mount.time_limit});
  return made;
}

// --- The repository -----------------------------------------------------------------------------

struct ServedRepository {
  std::shared_ptr<RepeatedVisits> visits = std::make_shared<RepeatedVisits>("mount");
  std::shared_ptr<PackFetcher> fetcher;   // nullptr: the storage is near
  std::shared_ptr<ChosenStorage> chosen;  // nullptr: all that there is is shown
  OpenedRepository opened;
  std::shared_ptr<WarmProgress> warmed;      // nullptr: nothing is to be warmed
  std::shared_ptr<SecondRepository> second;  // nullptr: none is named
};

// Opens it into `served`.
Status open(const RestreefsOptions& options, const Location& location,
            const std::optional<CachePlace>& cache, const MadeStorage& storage,
            ServedRepository& served) {
  VisitRecord& record = served.visits->record();
  const RepositoryOpening opening{
      .storage = storage.breaker,
      .rescued = storage.rescued,
      // It would take what is not listed for removed.
      .cache = options.as_of ? std::nullopt : cache,
      .location = location.identity(storage.ssh),
      .key_hint = find_key_hint(options.access),
      .may_rebuild_config = true,
      .may_be_offline = !options.lock,
      .connections = location.is_far() ? storage.ssh.open_connections : nullptr,
      .is_far = location.is_far(),
      .takes_lock = options.lock,
      .in_front = [&](std::shared_ptr<Storage> behind) -> std::shared_ptr<Storage> {
        std::shared_ptr<Storage> noting = record.decorator()(std::move(behind));
        if (!options.as_of) return noting;
        served.chosen = std::make_shared<ChosenStorage>(std::move(noting));
        return served.chosen;
      }};
  OpenedRepository& opened = served.opened;
  // The password is wiped when this returns: the keys are open then.
  RETURN_IF_ERROR(open_with_password(options.access, [&](const Secret& password) -> Status {
    ASSIGN_OR_RETURN(opened,
                     open_repository(opening, password, Deadline::after(options.mount.time_limit)));
    return {};
  }));
  record.watch(*opened.repository, {.address = opening.location,
                                    .has_config = !opened.without_config,
                                    .has_keys = !storage.rescued->adds_a_key()});
  return options.as_of ? options.as_of->choose(record, *served.chosen) : Status();
}

// The first reader that needs it waits for its opening half as long as for a read: it may need it for
// the size of a blob and then for the blob.
std::shared_ptr<SecondRepository> add_second(const RestreefsOptions& options,
                                             const MadeStorage& storage, Repository& repository) {
  if (options.second_place == nullptr) return nullptr;
  SecondCare care;
  care.make_storage = [ssh = storage.ssh](
                          const std::string& where,
                          const std::stop_token& stop) -> Result<std::shared_ptr<Storage>> {
    ASSIGN_OR_RETURN(const std::unique_ptr<const Location> location, parse_location(where));
    return location->make_storage(ssh, stop);
  };
  care.stop = storage.giving_up.get_token();
  care.cache = options.cache;
  care.patience = options.mount.time_limit;
  care.waiting = options.mount.time_limit / 2;
  return attach_second(repository, *options.second_place, std::move(care));
}

// nullptr: there is nothing to warm, or nowhere to keep it.
std::shared_ptr<WarmProgress> plan_warming(const RestreefsOptions& options, bool has_cache) {
  if (options.warm.empty()) return nullptr;
  if (has_cache) return std::make_shared<WarmProgress>();
  log::warning("nothing is warmed, as there is no cache on disk");
  return nullptr;
}

Result<ServedRepository> open_served(const RestreefsOptions& options, const Location& location,
                                     const std::optional<CachePlace>& cache,
                                     const MadeStorage& storage) {
  ServedRepository served;
  RETURN_IF_ERROR(open(options, location, cache, storage, served));
  // In the background only the log shows this, so the user who mounts sees it here.
  const bool is_log_here = options.foreground && options.log_file.empty();
  for (const auto& note : {served.opened.offline, served.opened.without_config}) {
    if (note && !is_log_here) std::fprintf(stderr, "restreefs: %s\n", note->c_str());
  }
  if (location.is_far()) {
    served.fetcher = std::make_shared<PackFetcher>(
        storage.breaker, FetchOptions{.budgets = fetch_budgets(options.mount.memory_bytes),
                                      .time_limit = options.mount.time_limit});
    served.opened.repository->use_source(served.fetcher);
  }
  served.opened.repository->use_headers({.replaces_index = options.index_from_packs,
                                         .patience = options.mount.time_limit,
                                         .stop = storage.giving_up.get_token()});
  served.second = add_second(options, storage, *served.opened.repository);
  if (served.opened.cache != nullptr) served.opened.cache->shrink();
  served.warmed = plan_warming(options, served.opened.cache != nullptr);
  return served;
}

// --- The lock -----------------------------------------------------------------------------------

// The repository's lock, if the options ask for one. While this lives, a stop removes the lock and
// ends the process.
// Ownership: the lock. The watch must outlive it, and is ended with it: a stop that came while the
//            lock is being removed would end the process amid that, and leave the lock behind.
class HeldLock {
 public:
  HeldLock(SignalWatch& signals, std::unique_ptr<RepositoryLock> lock)
      : signals_(signals),
        lock_(std::move(lock)),
        on_stop_(signals, stop_signals(), [this] { leave(ExitCode::kCancelled); }) {}
  ~HeldLock() { signals_.end(); }
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;

  // On the watching thread. Ends the process where it stands: nothing is being written, so that at
  // most a read is cut short.
  [[noreturn]] void leave(ExitCode code) {
    lock_.reset();
    end_at_once(code);
  }

 private:
  SignalWatch& signals_;
  std::unique_ptr<RepositoryLock> lock_;  // nullptr: none was asked for
  const SignalMeaning on_stop_;
};

Result<std::unique_ptr<HeldLock>> take_lock(const RestreefsOptions& options,
                                            const ServedRepository& served, SignalWatch& signals) {
  std::unique_ptr<RepositoryLock> lock;
  if (options.lock) {
    const LockRequest request{
        .reads_only = true,
        .retry_for = options.retry_lock,
        .tell = [](const std::string& message) { log::warning("{}", message); }};
    const auto by = Deadline::after(options.mount.time_limit + options.retry_lock);
    ASSIGN_OR_RETURN(lock, RepositoryLock::acquire(*served.opened.repository, request, by));
  }
  return std::make_unique<HeldLock>(signals, std::move(lock));
}

// --- The content --------------------------------------------------------------------------------

Result<std::unique_ptr<Mount>> load(const RestreefsOptions& options, const MadeStorage& storage,
                                    const ServedRepository& served) {
  MountOptions mount = options.mount;
  mount.fetcher = served.fetcher.get();
  mount.outages = storage.breaker->outages();
  mount.more_status = status_of({.storage = storage.breaker,
                                 .cache = served.opened.cache,
                                 .fetcher = served.fetcher,
                                 .connections = storage.ssh.open_connections,
                                 .warmed = served.warmed,
                                 .second = served.second,
                                 .visits = served.visits});
  return Mount::open(*served.opened.repository, std::move(mount));
}

// --- The session --------------------------------------------------------------------------------

// The session of a mount. From before the mount is made until this ends, a stop undoes the mount.
// Ownership: the session. Lock and content must outlive it.
class StoppableSession {
 public:
  StoppableSession(const RestreefsOptions& options, SignalWatch& signals,
                   std::stop_source giving_up, HeldLock& lock, Mount& mount)
      : options_(options),
        signals_(signals),
        giving_up_(std::move(giving_up)),
        lock_(lock),
        context_(mount),
        on_stop_(signals, stop_signals(), [this] { stop(); }) {}

  // Called once.
  Status mount() {
    auto made = FuseSession::mount(context_, options_.mount_point, options_.source_name,
                                   options_.kernel, options_.debug);
    if (made) session_ = std::move(*made);
    settled_.set_value();
    return made ? Status() : Status(made.error());
  }

  // Once mount() has succeeded.
  FuseSession& session() const { return *session_; }

 private:
  // On the watching thread. Later stops change nothing.
  void stop() {
    if (std::exchange(is_stopping_, true)) return;
    log::warning("unmounting {}: {}", options_.mount_point, description_of(signals_.received()));
    giving_up_.request_stop();
    // A mount that is being made must be there before it can be undone.
    settled_.get_future().wait();
    if (session_ == nullptr) lock_.leave(ExitCode::kCancelled);
    if (session_->stop()) return;  // run() returns
    log::warning("unmounted {} while reads were still waiting", options_.mount_point);
    lock_.leave(ExitCode::kSuccess);
  }

  const RestreefsOptions& options_;
  const SignalWatch& signals_;
  std::stop_source giving_up_;
  HeldLock& lock_;
  FuseContext context_;
  std::unique_ptr<FuseSession> session_;
  std::promise<void> settled_;   // session_ has its value for good
  bool is_stopping_ = false;     // only the watching thread touches it
  const SignalMeaning on_stop_;  // last: its action uses what is above
};

// --- The refreshes ------------------------------------------------------------------------------

Refresher::Beside beside_refreshes(const RestreefsOptions& options,
                                   const ServedRepository& served) {
  Refresher::Beside beside;
  beside.after = [visits = served.visits] { visits->keep(); };
  if (!options.as_of) return beside;
  // A prune of this machine may have replaced index files.
  beside.before = [as_of = *options.as_of, visits = served.visits, chosen = served.chosen] {
    const Status done = as_of.choose(visits->record(), *chosen);
    if (!done) log::info("as_of: {}", done.error().message());
  };
  return beside;
}

// --- The requests -------------------------------------------------------------------------------

std::unique_ptr<Warming> start_warming(const RestreefsOptions& options,
                                       const ServedRepository& served) {
  if (served.warmed == nullptr) return nullptr;
  return std::make_unique<Warming>(
      *served.opened.repository, *served.opened.cache, options.warm, options.mount.names,
      std::chrono::duration_cast<std::chrono::seconds>(options.mount.time_limit), served.warmed);
}

// In restic's words, for which programs that start a mount wait.
void announce(const RestreefsOptions& options) {
  if (!options.announce) return;
  std::printf(
      "Now serving the repository at %s\n"
      "Use another terminal or tool to browse the contents of this folder.\n"
      "When finished, quit with Ctrl-c here or umount the mountpoint.\n",
      readable(options.announced_as).c_str());
  std::fflush(stdout);
}

}  // namespace

SignalSet serving_signals() { return {SIGINT, SIGTERM, SIGHUP}; }

Status serve(const RestreefsOptions& options, const Location& location,
             const std::optional<CachePlace>& cache, Background& background) {
  SignalWatch signals(serving_signals(), [](int signal) {
    if (stop_signals().contains(signal)) end_at_once(ExitCode::kCancelled);
  });
  ASSIGN_OR_RETURN(const MadeStorage storage, make_storage(options, location));
  ASSIGN_OR_RETURN(const ServedRepository served, open_served(options, location, cache, storage));
  ASSIGN_OR_RETURN(const std::unique_ptr<HeldLock> lock, take_lock(options, served, signals));
  ASSIGN_OR_RETURN(const std::unique_ptr<Mount> mount, load(options, storage, served));
  StoppableSession stoppable(options, signals, storage.giving_up, *lock, *mount);
  RETURN_IF_ERROR(stoppable.mount());

  FuseSession& session = stoppable.session();
  Refresher refresher(*mount, session, options.refresh, beside_refreshes(options, served));
  const SignalMeaning on_hangup(signals, {SIGHUP}, refresher.poke());
  storage.breaker->on_return(refresher.poke());
  const std::optional<std::string>& offline = served.opened.offline;
  if (offline) refresher.poke()();  // it may be back by now
  const std::unique_ptr<Warming> warming = start_warming(options, served);
  Status ended = session.run([&] {
    announce(options);
    background.ready();
    for (const auto& note : {offline, served.opened.without_config}) {
      if (note) log::warning("{}", *note);
    }
  });
  signals.end();  // nothing interrupts what is undone now
  const bool is_log_here = options.foreground && options.log_file.empty();
  if (!ended && !is_log_here) log::error("{}", ended.error().message());
  return ended;
}

}  // namespace restree
