#include "tools/session/session.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <utility>

#include "cache/pack_fetcher.h"
#include "program/as_of.h"
#include "program/cache_settings.h"
#include "program/repository_opening.h"
#include "program/rescue_key.h"
#include "program/ssh_settings.h"
#include "program/storage_kinds.h"
#include "program/visit_record.h"
#include "repo/base/last_resort.h"
#include "repo/base/log.h"
#include "repo/base/restic_words.h"
#include "repo/crypto/derivation.h"
#include "repo/storage/decorators/chosen_storage.h"
#include "repo/storage/decorators/quarantine_storage.h"
#include "repo/storage/local_storage.h"
#include "tools/session/old_caches.h"

namespace restree {

Result<std::shared_ptr<Storage>> storage_at(const std::string& location,
                                            const GlobalOptions& options,
                                            const std::stop_token& stop) {
  const auto parsed = parse_location(location);
  if (!parsed) {
    return Error(parsed.error()).with(restic_words::kLocationNotParsed.text);
  }
  SshOptions ssh = with_secret_sources(options.ssh, options.ssh.options.connect_timeout);
  ssh.limits = make_rate_limits(options.upload_limit, options.download_limit);
  RETURN_IF_ERROR((*parsed)->take_rclone_options(options.rclone, ssh));
  return (*parsed)->make_storage(ssh, stop);
}

namespace {

bool is_to_write(Locking locking) {
  return locking == Locking::kSharedToWrite || locking == Locking::kExclusiveToWrite;
}

bool is_exclusive(Locking locking) {
  return locking == Locking::kExclusive || locking == Locking::kExclusiveToWrite;
}

GlobalOptions counting_connections(GlobalOptions options) {
  options.ssh.options.open_connections = std::make_shared<std::atomic<unsigned>>(0);
  return options;
}

}  // namespace

Session::Session(GlobalOptions options, Io& io, std::stop_token stop, StorageMaker make_storage)
    : options_(counting_connections(std::move(options))),
      output_(io, options_.json, options_.verbosity),
      stop_(std::move(stop)),
      make_storage_(std::move(make_storage)),
      visit_(std::make_unique<VisitRecord>()) {}

Session::~Session() = default;

Status Session::go_on() const {
  if (stop_.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
  return {};
}

TreesAheadOptions Session::trees_ahead() const {
  return {.patience = options_.patience,
          .stop = stop_,
          .on_refused = [this](const BlobId& tree, const std::string& why) {
            output_.warn(fmt::format("tree {}: {}", tree.short_hex(), why));
          }};
}

Result<std::string> Session::location() const {
  if (!location_) location_ = find_location(options_.access);
  return *location_;
}

bool Session::is_far() const {
  const Result<std::string> where = location();
  if (!where) return false;
  const auto parsed = parse_location(*where);
  return parsed && (*parsed)->is_far();
}

Result<std::string> Session::address() const {
  ASSIGN_OR_RETURN(const std::string where, location());
  const auto parsed = parse_location(where);
  return parsed ? (*parsed)->identity(options_.ssh.options) : where;
}

Result<std::shared_ptr<Storage>> Session::plain_storage() {
  if (!storage_) {
    ASSIGN_OR_RETURN(const std::string where, location());
    ASSIGN_OR_RETURN(storage_, make_storage_(where, options_, stop_));
  }
  return storage_;
}

Result<std::shared_ptr<Storage>> Session::storage() {
  if (!noted_storage_) {
    ASSIGN_OR_RETURN(std::shared_ptr<Storage> plain, plain_storage());
    noted_storage_ = visit_->decorator()(std::move(plain));
  }
  return noted_storage_;
}

void Session::see_changed(std::shared_ptr<Storage> storage, const Secret& password,
                          const std::string& key_hint) {
  const auto open = [&]() -> Status {
    ASSIGN_OR_RETURN(const std::string where, address());
    ASSIGN_OR_RETURN(changed_,
                     Repository::open(std::move(storage), password, key_hint, patience()));
    visit_->watch(*changed_, {.address = where});
    return {};
  };
  if (const Status opened = open(); !opened) {
    log::info("the journal of this machine: {}", opened.error().message());
  }
}

void Session::see_new(const RepositoryId& id) {
  const Result<std::string> where = address();
  const Status noted = where ? VisitRecord::note_new(*where, id) : Status(where.error());
  if (!noted) log::info("the journal of this machine: {}", noted.error().message());
}

Result<std::shared_ptr<Storage>> Session::quarantine(const std::string& where) const {
  if (where != kInRepository) return make_local_storage(where);
  ASSIGN_OR_RETURN(const std::string repository, location());
  return make_storage_(quarantine_inside(repository), options_, stop_);
}

Status Session::keep_removed_in(const std::string& where) {
  ASSIGN_OR_RETURN(quarantine_, quarantine(where));
  return {};
}

Status Session::use_second(const RepositoryAccess& access) {
  ASSIGN_OR_RETURN(second_, find_second(access));
  return {};
}

Result<Secret> Session::password(PasswordIs which) const {
  return find_password(access(), Deadline::never(), which);
}

Status Session::with_password(const std::function<Status(const Secret&)>& use) const {
  return open_with_password(access(), use);
}

RepositoryAccess Session::access() const {
  RepositoryAccess access = options_.access;
  access.no_password = options_.insecure_no_password;
  access.input_is_data = input_is_data_;
  return access;
}

Result<OtherRepository> Session::open_other(const RepositoryAccess& access, Locking locking) const {
  ASSIGN_OR_RETURN(const std::string where, find_location(access));
  ASSIGN_OR_RETURN(const std::shared_ptr<Storage> storage, make_storage_(where, options_, stop_));
  OtherRepository other;
  RETURN_IF_ERROR(open_with_password(access, [&](const Secret& secret) -> Status {
    ASSIGN_OR_RETURN(other.repository,
                     Repository::open(storage, secret, find_key_hint(access), patience()));
    return {};
  }));
  ASSIGN_OR_RETURN(other.lock, lock_repository(*other.repository, locking));
  return other;
}

bool Session::wants_lock(Locking locking) const {
  switch (locking) {
    case Locking::kNone:
      return false;
    case Locking::kShared:
    case Locking::kExclusive:
      return !options_.no_lock;
    case Locking::kSharedToWrite:
    case Locking::kExclusiveToWrite:
      return true;
  }
  return true;
}

Status Session::open_repository(Locking locking, Reading reading) {
  ASSIGN_OR_RETURN(std::shared_ptr<Storage> asked, plain_storage());
  if (quarantine_) asked = std::make_shared<QuarantineStorage>(asked, quarantine_);
  const auto rescued = std::make_shared<RescuedStorage>(asked);
  RETURN_IF_ERROR(add_rescue_key(options_.access, *rescued));
  std::shared_ptr<ChosenStorage> chosen;
  // Probes are rare, since a probe under way would delay the end of a short command.
  constexpr BackOff kSeldom{std::chrono::seconds(10), 1, std::chrono::seconds(10)};
  RepositoryOpening opening{
      .storage = std::make_shared<BreakerStorage>(
          rescued, BreakerTiming{.patience = options_.patience, .between_probes = kSeldom}),
      .rescued = rescued,
      .key_hint = find_key_hint(options_.access),
      .may_rebuild_config = locking == Locking::kShared || locking == Locking::kNone,
      .is_far = is_far(),
      .takes_lock = true,
      .in_front = [&](std::shared_ptr<Storage> behind) -> std::shared_ptr<Storage> {
        chosen = std::make_shared<ChosenStorage>(visit_->decorator()(std::move(behind)));
        return chosen;
      }};
  ASSIGN_OR_RETURN(const std::string where, address());
  if (reading == Reading::kThroughCache) {
    opening.cache = find_cache(options_.cache, is_far());
    opening.location = where;
    opening.may_be_offline = locking == Locking::kShared;
    if (is_far()) opening.connections = options_.ssh.options.open_connections;
  }
  OpenedRepository opened;
  RETURN_IF_ERROR(open_with_password(access(), [&](const Secret& secret) -> Status {
    const NothingButDerivation nothing_else;
    ASSIGN_OR_RETURN(opened, restree::open_repository(opening, secret, patience()));
    return {};
  }));
  repository_ = std::move(opened.repository);
  visit_->watch(
      *repository_,
      {.address = where, .has_config = !opened.without_config, .has_keys = !rescued->adds_a_key()});
  if (!options_.as_of.empty() && chosen != nullptr) {
    if (const Status back = go_back(*chosen); !back) {
      *visit_ = VisitRecord();
      repository_.reset();
      return back.error();
    }
  }
  if (is_far() && reading == Reading::kThroughCache) {
    // A request ahead may be under way when the command is done, which then waits for it: the limit
    // stays short even for patient users.
    FetchOptions fetch;
    fetch.time_limit = std::min<std::chrono::milliseconds>(fetch.time_limit, options_.patience);
    repository_->use_source(std::make_shared<PackFetcher>(opening.storage, fetch));
  }
  cache_ = std::move(opened.cache);
  if (opened.offline) output_.warn(*opened.offline);
  if (opened.without_config) output_.warn(*opened.without_config);
  if (headers_replace_index_) {
    repository_->use_headers(
        {.replaces_index = *headers_replace_index_, .patience = options_.patience, .stop = stop_});
  }
  if (second_) add_second(reading);
  return {};
}

void Session::add_second(Reading reading) {
  SecondCare care;
  care.make_storage = [make = make_storage_, options = options_](const std::string& where,
                                                                 const std::stop_token& stop) {
    return make(where, options, stop);
  };
  care.stop = stop_;
  if (reading == Reading::kThroughCache) care.cache = options_.cache;
  care.patience = care.waiting = options_.patience;
  attach_second(*repository_, std::move(*second_), std::move(care));
}

Status Session::check_as_of(Locking locking) const {
  const bool only_reads = locking == Locking::kNone || locking == Locking::kShared;
  if (options_.as_of.empty() || only_reads) return {};
  return Error(ErrorKind::kInvalid, "--as-of is for commands that only read");
}

Status Session::go_back(ChosenStorage& storage) const {
  ASSIGN_OR_RETURN(const AsOf as_of, AsOf::parse(options_.as_of));
  return as_of.choose(*visit_, storage);
}

Status Session::clean_caches() const {
  if (!options_.cleanup_cache || options_.cache.off) return {};
  ASSIGN_OR_RETURN(const std::string base, cache_base(options_.cache));
  ASSIGN_OR_RETURN(std::vector<FoundCache> caches, list_caches(base));
  remove_caches(base, old_caches(std::move(caches), kOldCacheDays), io());
  return {};
}

// On standard output, where scripts look for it, and at once.
void Session::tell_waiting(const std::string& message) const {
  if (output_is_data_) return output_.note(message);
  output_.say(message);
  [[maybe_unused]] const Status written = io().flush();  // the end of the command reports a failure
}

Result<std::unique_ptr<RepositoryLock>> Session::lock_repository(Repository& repository,
                                                                 Locking locking) const {
  if (!wants_lock(locking) || repository.is_offline()) return nullptr;
  const LockRequest request{
      .exclusive = is_exclusive(locking),
      .reads_only = !is_to_write(locking),
      .retry_for = options_.retry_lock,
      .stop = stop_,
      .tell = [this](const std::string& message) { output_.note(message); },
      .tell_waiting = [this](const std::string& message) { tell_waiting(message); },
      .warn = [this](const std::string& message) { output_.warn(message); }};
  return RepositoryLock::acquire(repository, request,
                                 Deadline::after(options_.patience + request.retry_for));
}

Status Session::lock_anew(Locking locking) {
  lock_.reset();
  ASSIGN_OR_RETURN(lock_, lock_repository(*repository_, locking));
  lock_is_exclusive_ = is_exclusive(locking);
  return {};
}

Status Session::lock_exclusively() { return lock_anew(Locking::kExclusiveToWrite); }

Status Session::lock_shared() { return lock_anew(Locking::kSharedToWrite); }

Result<Repository*> Session::open(Locking locking, Reading reading) {
  if (repository_) return repository_.get();
  RETURN_IF_ERROR(check_as_of(locking));
  // The cache would take what is not listed for removed.
  if (!options_.as_of.empty()) reading = Reading::kFromStorage;
  RETURN_IF_ERROR(open_repository(locking, reading));
  if (reading == Reading::kThroughCache) RETURN_IF_ERROR(clean_caches());
  auto lock = lock_repository(*repository_, locking);
  if (!lock) {
    *visit_ = VisitRecord();
    repository_.reset();  // or a second call would return it without a lock
    return lock.error();
  }
  lock_ = std::move(*lock);
  lock_is_exclusive_ = is_exclusive(locking);
  if (io().is_terminal()) {
    output_.say(fmt::format("repository {} opened (version {}, compression level {})",
                            repository_->config().id.short_hex(), repository_->config().version,
                            options_.compression));
  }
  return repository_.get();
}

void Session::keep_visit(const std::string& command) {
  Status kept;
  try {
    kept = visit_->keep(command);
  } catch (const std::exception& failure) {
    kept = error_of(failure);
  }
  if (!kept) log::info("the journal of this machine: {}", kept.error().message());
}

Result<Repository*> Session::open_with_index(Locking locking) {
  ASSIGN_OR_RETURN(Repository* const repository, open(locking));
  RETURN_IF_ERROR(repository->refresh_index(patience()));
  return repository;
}

}  // namespace restree
