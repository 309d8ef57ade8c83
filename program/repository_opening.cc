#include "program/repository_opening.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <ctime>
#include <utility>

#include "cache/disk_cache.h"
#include "cache/location_notes.h"
#include "program/ssh_settings.h"
#include "repo/base/log.h"
#include "repo/rescue/rebuilt_config.h"
#include "repo/storage/decorators/early_storage.h"

namespace restree {
namespace {

using std::chrono::system_clock;

std::string local_time(system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(system_clock::to_time_t(time)));
}

std::shared_ptr<Storage> in_front_of(const RepositoryOpening& opening,
                                     std::shared_ptr<Storage> storage) {
  return opening.in_front ? opening.in_front(std::move(storage)) : std::move(storage);
}

// Opens the repository from its cache, whose id was noted earlier. `away`: the error of the attempt
// to reach the storage. nullopt: the cache does not hold enough.
Result<std::optional<OpenedRepository>> open_offline(const RepositoryOpening& opening,
                                                     const CachePlace& place, const std::string& id,
                                                     const Secret& password, const Error& away) {
  std::optional<OpenedRepository> nothing;
  Result<std::shared_ptr<DiskCache>> cache = DiskCache::open(place.base, id, place.limits);
  if (!cache) {
    log::warning("the cache on disk is not used: {}", cache.error().message());
    return nothing;
  }
  const auto listed = (*cache)->listed();
  if (!listed) return nothing;
  auto repository = Repository::open_cached(in_front_of(opening, opening.storage), *cache, password,
                                            opening.key_hint);
  if (!repository) {
    if (repository.error().kind() == ErrorKind::kWrongPassword) return repository.error();
    log::warning("{}", repository.error().message());
    return nothing;
  }
  if ((*repository)->config().id.hex() != id) return nothing;
  if (const auto config = (*cache)->read({FileType::kConfig, ""})) {
    opening.storage->remember(*config, (*repository)->key_name());
  }
  opening.storage->believe_away(away);
  return std::optional(OpenedRepository{
      std::move(*repository), std::move(*cache),
      fmt::format("{} is out of reach ({}): only what the cache holds can be read, as of {}",
                  opening.storage->description(), away.message(), local_time(*listed))});
}

// `is_cached`: index files and snapshots are in a cache, except for new ones.
std::shared_ptr<Storage> storage_to_read(const RepositoryOpening& opening, bool is_cached) {
  if (!opening.is_far) return in_front_of(opening, opening.storage);
  EarlyReads reads{.only_keys = opening.takes_lock};
  if (is_cached) reads.most_bytes = 0;
  return in_front_of(opening, std::make_shared<EarlyStorage>(opening.storage, reads));
}

bool is_about_config(const Error& error) {
  return error.kind() == ErrorKind::kNoRepository || error.kind() == ErrorKind::kCorrupt;
}

struct WithoutConfig {
  std::unique_ptr<Repository> repository;
  std::string why;
};

// Opens a repository whose config is missing or damaged, with one that is rebuilt in memory. nullopt:
// that is not what it lacks.
Result<std::optional<WithoutConfig>> open_without_config(const RepositoryOpening& opening,
                                                         const Error& failure,
                                                         const Secret& password, Deadline by) {
  std::optional<WithoutConfig> nothing;
  if (opening.rescued == nullptr) return nothing;
  const Result<bool> is_repository = has_content(*opening.rescued, by);
  if (!is_repository || !*is_repository) return nothing;
  constexpr char kAdvice[] =
      "restree repair config puts a new one there; restree rescue-key import puts back that of a "
      "rescue key.";
  Result<RebuiltConfig> rebuilt = rebuild_config(*opening.rescued, password, opening.key_hint, by);
  if (!rebuilt && failure.kind() == ErrorKind::kNoRepository) {
    return std::move(rebuilt).error().with(failure.message());
  }
  if (!rebuilt || !rebuilt->is_lost) return nothing;
  if (!opening.may_rebuild_config) {
    return Error(failure.kind(), failure.message() + ", but snapshots or index files are there")
        .hinting(kAdvice);
  }
  opening.rescued->replace_config(std::move(rebuilt->file));
  ASSIGN_OR_RETURN(auto repository,
                   Repository::open(opening.storage, password, opening.key_hint, by));
  return std::optional(WithoutConfig{
      std::move(repository),
      fmt::format("{}; its files can be read all the same. {}", failure.message(), kAdvice)});
}

}  // namespace

Result<OpenedRepository> open_repository(const RepositoryOpening& opening, const Secret& password,
                                         Deadline by) {
  std::optional<std::string> noted;
  if (opening.may_be_offline && opening.cache) {
    noted = noted_repository(opening.cache->base, opening.location);
  }
  const std::shared_ptr<Storage> storage = storage_to_read(opening, noted.has_value());
  const auto open_within = [&](Deadline::Clock::duration patience) {
    return Repository::open(storage, password, opening.key_hint,
                            Deadline::earlier(by, Deadline::after(patience)));
  };
  const bool asks_for_contact = noted && opening.connections;
  auto repository = asks_for_contact ? open_within(kPatienceForContact)
                    : noted          ? open_within(kPatienceWithCache)
                                     : Repository::open(storage, password, opening.key_hint, by);
  const auto is_away = [&] {
    return !repository && repository.error().kind() == ErrorKind::kUnavailable;
  };
  if (is_away() && asks_for_contact && *opening.connections > 0) {
    repository = open_within(kPatienceWithCache - kPatienceForContact);
  }
  if (is_away() && noted) {
    if (opening.cache && !has_prompted_for_ssh()) {
      ASSIGN_OR_RETURN(std::optional<OpenedRepository> offline,
                       open_offline(opening, *opening.cache, *noted, password, repository.error()));
      if (offline) return std::move(*offline);
    }
    repository = Repository::open(storage_to_read(opening, true), password, opening.key_hint, by);
  }
  std::optional<std::string> without_config;
  if (!repository && is_about_config(repository.error())) {
    ASSIGN_OR_RETURN(std::optional<WithoutConfig> opened,
                     open_without_config(opening, repository.error(), password, by));
    if (opened) {
      repository = std::move(opened->repository);
      without_config = std::move(opened->why);
    }
  }
  RETURN_IF_ERROR(repository);
  opening.storage->remember_key((*repository)->key_name());
  OpenedRepository opened{.repository = std::move(*repository),
                          .cache = nullptr,
                          .without_config = std::move(without_config)};
  if (!opening.cache) return opened;
  opened.cache = attach_cache(*opened.repository, *opening.cache);
  if (opened.cache == nullptr) return opened;
  const Status status =
      note_location(opening.cache->base, opening.location, opened.repository->config().id.hex());
  if (!status) log::info("{}", status.error().message());
  return opened;
}

}  // namespace restree
