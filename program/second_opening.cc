#include "program/second_opening.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "cache/disk_cache.h"
#include "cache/pack_fetcher.h"
#include "program/repository_opening.h"
#include "program/storage_kinds.h"
#include "repo/repository.h"
#include "repo/rescue/rescued_storage.h"
#include "repo/storage/decorators/breaker_storage.h"
#include "repo/system/environment.h"

namespace restree {
namespace {

// A command that prints a password does not take longer; the end of the program waits for it.
constexpr std::chrono::seconds kPasswordPatience{30};

std::string variable(const RepositoryAccess& access, const char* name) {
  return environment_variable(access.variables + name + access.variables_end);
}

Result<std::string> absolute(const std::string& path) {
  std::error_code failure;
  std::string whole = std::filesystem::absolute(path, failure).string();
  if (failure) return Error(ErrorKind::kInvalid, path + ": " + failure.message());
  return whole;
}

Result<std::string> find_place(const RepositoryAccess& access) {
  const bool is_empty =
      access.location.value_or("").empty() && access.repository_file.value_or("").empty();
  if (is_empty && (access.location || access.repository_file)) {
    return Error(ErrorKind::kInvalid, "the second repository that is given has an empty name")
        .hinting("It may come from a variable that is not set.");
  }
  ASSIGN_OR_RETURN(const std::string named, find_location(access));
  ASSIGN_OR_RETURN(const std::unique_ptr<const Location> location, parse_location(named));
  const std::optional<std::string> folder = location->folder();
  return folder ? absolute(*folder) : named;
}

// A file or a command is asked only when the repository is needed. By then there may be another
// current folder, and other threads read the environment; what needs neither is settled now.
Status settle_password(SecondPlace& place) {
  RepositoryAccess& access = place.access;
  std::string file = access.password_file.value_or("");
  std::string command = access.password_command.value_or("");
  if (file.empty() && command.empty()) {
    if (!access.password_file) file = variable(access, "PASSWORD_FILE");
    if (!access.password_command) command = variable(access, "PASSWORD_COMMAND");
  }
  const bool waits = file.empty() != command.empty() && !access.no_password;
  if (!waits || !variable(access, "PASSWORD").empty()) {
    ASSIGN_OR_RETURN(Secret password, find_password(access, Deadline::never()));
    place.password = std::make_shared<const Secret>(std::move(password));
    return {};
  }
  if (!file.empty()) {
    ASSIGN_OR_RETURN(file, absolute(file));
  }
  access.password_file = std::move(file);
  access.password_command = std::move(command);
  return {};
}

// Its cache is its own, by its id. A copy file by file has the id of the first one, whose cache must
// not lose what only the first one lists: it goes without.
void give_cache(const CacheSettings& settings, bool is_far, const RepositoryId& first,
                Repository& second) {
  if (second.config().id == first) return;
  const std::optional<CachePlace> place = find_cache(settings, is_far);
  if (place) static_cast<void>(attach_cache(second, *place));
}

Result<std::shared_ptr<Repository>> open(const SecondPlace& place, const SecondCare& care,
                                         const RepositoryId& first, const std::stop_token& stop) {
  const auto soon = [&] { return Deadline::after(care.patience); };
  ASSIGN_OR_RETURN(const std::unique_ptr<const Location> location, parse_location(place.location));
  ASSIGN_OR_RETURN(const std::shared_ptr<Storage> asked, care.make_storage(place.location, stop));
  const auto rescued = std::make_shared<RescuedStorage>(asked);
  // Probes are rare, since a probe under way would delay the end of a short command.
  constexpr BackOff kSeldom{std::chrono::seconds(10), 1, std::chrono::seconds(10)};
  const RepositoryOpening opening{
      .storage = std::make_shared<BreakerStorage>(
          rescued, BreakerTiming{.patience = care.patience, .between_probes = kSeldom}),
      .rescued = rescued,
      .key_hint = find_key_hint(place.access),
      .may_rebuild_config = true,
      .is_far = location->is_far()};
  Secret found;
  if (place.password == nullptr) {
    const Deadline by =
        Deadline::after(std::min<std::chrono::milliseconds>(care.patience, kPasswordPatience));
    ASSIGN_OR_RETURN(found, find_password(place.access, by));
  }
  const Secret& password = place.password != nullptr ? *place.password : found;
  ASSIGN_OR_RETURN(OpenedRepository opened, open_repository(opening, password, soon()));
  if (care.cache) give_cache(*care.cache, location->is_far(), first, *opened.repository);
  if (location->is_far()) {
    FetchOptions fetch{.budgets = {.data_bytes = 8 << 20, .tree_bytes = 2 << 20}, .threads = 8};
    fetch.time_limit = std::min(fetch.time_limit, care.patience);  // the end waits for it
    opened.repository->use_source(std::make_shared<PackFetcher>(opening.storage, fetch));
  }
  opened.repository->use_headers({.patience = care.patience, .stop = care.stop});
  RETURN_IF_ERROR(opened.repository->refresh_index(soon()));
  return std::shared_ptr<Repository>(std::move(opened.repository));
}

}  // namespace

RepositoryAccess second_access() {
  RepositoryAccess access;
  access.variables = "RESTREE_SECOND_";
  access.what = "second repository";
  access.asks_nobody = true;
  return access;
}

Result<std::optional<SecondPlace>> find_second(RepositoryAccess access) {
  std::optional<SecondPlace> found;
  if (!names_location(access)) return found;
  Result<std::string> location = find_place(access);
  if (!location) return std::move(location).error().with("second repository");
  found =
      SecondPlace{.location = std::move(*location), .access = std::move(access), .password = {}};
  RETURN_IF_ERROR(settle_password(*found));
  return found;
}

std::shared_ptr<SecondRepository> attach_second(Repository& first, SecondPlace place,
                                                SecondCare care) {
  SecondRepository::Settings settings;
  const auto location = parse_location(place.location);
  settings.name = location ? (*location)->description() : place.location;
  settings.first_name = first.storage().description();
  settings.first_polynomial = first.config().chunker_polynomial;
  settings.stop = care.stop;
  settings.patience = care.waiting;
  settings.open = [place = std::move(place), care = std::move(care), id = first.config().id](
                      const std::stop_token& stop) { return open(place, care, id, stop); };
  auto second = std::make_shared<SecondRepository>(std::move(settings));
  first.use_second(second);
  return second;
}

}  // namespace restree
