// The second repository that a user names, for what the first one has lost: see second_repository.h.
//
// Options and variables are looked at once, at the start of the program. The repository itself, its
// server, and a file or command that gives its password, are left alone until they are needed.
//
// Threads: one. What opens the repository later does so in a thread of its own.
// Limits:  asks nobody for a password. Takes no lock, and writes nothing to the repository. From afar
//          up to 10 MiB of blobs are kept sealed, by 8 threads.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "program/access.h"
#include "program/cache_settings.h"
#include "repo/base/result.h"
#include "repo/crypto/secret.h"
#include "repo/second_repository.h"
#include "repo/storage/storage.h"

namespace restree {

// Variables that begin with RESTREE_SECOND_, and nobody is asked.
RepositoryAccess second_access();

struct SecondPlace {
  std::string location;  // a folder by its absolute path
  RepositoryAccess access;
  // From RESTREE_SECOND_PASSWORD, which is wiped: other threads may read the environment later.
  std::shared_ptr<const Secret> password;
};

// nullopt: neither options nor variables name one. kInvalid: it is not a location, or nothing says
// where its password comes from.
Result<std::optional<SecondPlace>> find_second(RepositoryAccess access);

struct SecondCare {
  std::function<Result<std::shared_ptr<Storage>>(const std::string& location,
                                                 const std::stop_token& stop)>
      make_storage;
  std::stop_token stop;                // the program is to end: an opening under way is given up
  std::optional<CacheSettings> cache;  // nullopt: nothing is read from a cache
  std::chrono::milliseconds patience{60'000};  // for each step of opening, and for each request
  std::chrono::milliseconds waiting{60'000};   // how long readers wait until it is open
};

// Gives the repository its second one. Must be called before anything is read.
std::shared_ptr<SecondRepository> attach_second(Repository& first, SecondPlace place,
                                                SecondCare care);

}  // namespace restree
