// Opens a repository with its cache, and from its cache alone while its storage is out of reach.
//
// Threads: one.
// Limits:  if the cache could stand in, the server has kPatienceForContact for a login, which takes a
//          dozen round trips, and once it has let somebody in kPatienceWithCache to answer; if a
//          person was asked for a secret meanwhile, it has all of the time. Connections that are being
//          made go on, and a BreakerStorage finds the server when it answers later.
// Errors:  those of Repository::open. kWrongPassword also if only the cache could be asked.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "program/cache_settings.h"
#include "repo/base/clock.h"
#include "repo/crypto/secret.h"
#include "repo/repository.h"
#include "repo/rescue/rescued_storage.h"
#include "repo/storage/decorators/breaker_storage.h"

namespace restree {

inline constexpr std::chrono::milliseconds kPatienceForContact{1200};
inline constexpr std::chrono::seconds kPatienceWithCache{10};

struct RepositoryOpening {
  std::shared_ptr<BreakerStorage> storage;
  // Beneath it: where a config is added if the repository has lost its own. nullptr: then it is not
  // opened.
  std::shared_ptr<RescuedStorage> rescued = {};
  // Where its cache is to be; nullopt: it has none.
  std::optional<CachePlace> cache = {};
  std::string location = {};  // the same text for the same repository: Location::identity()
  std::string key_hint = {};
  // The caller only reads, and gives no verdict on the repository: a config that is rebuilt in memory
  // will do.
  bool may_rebuild_config = false;
  // The caller is content with what the cache has if the storage is out of reach.
  bool may_be_offline = false;
  // SshOptions::open_connections. nullptr: not known, so that the storage has kPatienceWithCache.
  std::shared_ptr<const std::atomic<unsigned>> connections = {};
  // The storage is far away: see EarlyStorage.
  bool is_far = false;
  // The caller takes a lock next, and looks for files only then.
  bool takes_lock = false;
  // Puts a decorator in front of the storage that the repository is opened from; empty: none. Called
  // once more for the same storage if the cache alone is served at first.
  std::function<std::shared_ptr<Storage>(std::shared_ptr<Storage>)> in_front = {};
};

struct OpenedRepository {
  std::unique_ptr<Repository> repository;
  std::shared_ptr<DiskCache> cache;         // nullptr: none
  std::optional<std::string> offline = {};  // why the cache alone is served, for people
  // Why it was opened with a config that was rebuilt in memory, for people; nullopt: it was not.
  std::optional<std::string> without_config = {};
};

Result<OpenedRepository> open_repository(const RepositoryOpening& opening, const Secret& password,
                                         Deadline by);

}  // namespace restree
