#include "tools/commands/backup_leftovers.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "repo/base/log.h"
#include "repo/lock/repository_lock.h"
#include "repo/repairer/unindexed_packs.h"
#include "tools/output/human.h"

namespace restree {
namespace {

// No write takes so long; and a job of every night finds what was left the night before.
constexpr std::chrono::hours kLeftoverAge{12};

// Interrupted backups leave less: each names its packs in an index every ten minutes.
constexpr std::uint64_t kMostReadLocally = std::uint64_t{64} << 30;
constexpr std::uint64_t kMostReadFromServer = std::uint64_t{8} << 30;

constexpr std::size_t kMostNamedPacks = 10;

bool is_cancelled(const Error& error) { return error.kind() == ErrorKind::kCancelled; }

void warn_of_pack(const Error& error) {
  if (error.kind() == ErrorKind::kCorrupt) {
    log::warning(
        "an interrupted run has left a damaged pack, which is not used: {}; what is needed of it "
        "is "
        "stored again, and `restree prune` removes it",
        error.message());
    return;
  }
  const std::string what_to_do = error.hint().empty() ? "" : "; " + error.hint();
  log::warning("what an interrupted run has left is not used: {}{}", error.message(), what_to_do);
}

void warn_of_lost_packs(const std::vector<PackId>& lost, const Storage& storage) {
  if (lost.empty()) return;
  std::string names;
  for (std::size_t i = 0; i < std::min(lost.size(), kMostNamedPacks); ++i) {
    names += (i == 0 ? "" : ", ") + lost[i].hex();
  }
  if (lost.size() > kMostNamedPacks) names += ", …";
  log::warning(
      "{}: {} that the index names are missing or cut short: {}; what is needed of them now is "
      "stored again, but other snapshots may have lost data: `restree repair index` and then "
      "`restree repair snapshots` show which",
      storage.description(),
      lost.size() == 1 ? std::string("1 pack") : fmt::format("{} packs", lost.size()), names);
}

Status adopt(const Session& session, Repository& repository, std::vector<StoredPack> unindexed) {
  AdoptionOptions options;
  options.patience = session.options().patience;
  options.most_bytes = session.is_far() ? kMostReadFromServer : kMostReadLocally;
  options.stop = session.stop();
  options.dead_locks = session.lock()->dead_locks();
  options.on_begin = [&](std::size_t packs, std::uint64_t bytes) {
    session.output().say(fmt::format("reading back {} in {} {} that no index names",
                                     format_bytes(bytes), packs, packs == 1 ? "pack" : "packs"));
  };
  options.on_left_out = warn_of_pack;
  const auto adopted = adopt_packs(repository, std::move(unindexed), options);
  if (!adopted) return adopted.error();
  if (adopted->packs > 0) {
    session.output().say(
        fmt::format("found {} of a run that was interrupted", format_bytes(adopted->bytes)));
  }
  return {};
}

}  // namespace

Result<std::vector<PackId>> look_at_leftovers(const Session& session, Repository& repository,
                                              Looking looking) {
  const RepositoryLock* lock = session.lock();
  const bool must = looking == Looking::kAlways;
  if (!must && lock == nullptr) return std::vector<PackId>();
  if (!must && session.is_far() && !lock->found_leftovers()) return std::vector<PackId>();
  auto packs = compare_packs(repository, session.patience());
  if (!packs) {
    if (must || is_cancelled(packs.error())) return packs.error();
    log::warning("what an interrupted run may have left is not looked for: {}",
                 packs.error().message());
    return std::vector<PackId>();
  }
  warn_of_lost_packs(packs->lost, repository.storage());
  // What others write looks the same as what was left.
  if (lock == nullptr || lock->has_company()) return std::move(packs->lost);
  if (const Status adopted = adopt(session, repository, std::move(packs->unindexed)); !adopted) {
    if (is_cancelled(adopted.error())) return adopted.error();
    log::warning("what an interrupted run has left is stored again as it is needed: {}",
                 adopted.error().message());
  }
  return std::move(packs->lost);
}

// The number of parts has no factor in common with the hours of a day or a week, so that jobs of the
// same time each day or week come to all parts, too.
Leftovers some_leftovers(std::chrono::system_clock::time_point now) {
  constexpr unsigned kParts = 13;
  const auto hours = std::chrono::floor<std::chrono::hours>(now).time_since_epoch().count();
  return {.before = {}, .part = static_cast<unsigned>(hours % kParts), .parts = kParts};
}

TemporaryFilesRemoval::TemporaryFilesRemoval(const Session& session, Repository& repository) {
  if (session.lock() == nullptr) return;
  const auto now = std::chrono::system_clock::now();
  const bool asks_for_all = !session.is_far() || session.lock()->found_leftovers();
  Leftovers which = asks_for_all ? Leftovers() : some_leftovers(now);
  which.before = now - kLeftoverAge;
  const auto remove = [&repository, which, by = session.patience()] {
    const auto removed = repository.storage().remove_leftovers(which, by);
    if (removed || is_cancelled(removed.error())) return;
    log::warning("left as they are: temporary files: {}", removed.error().message());
  };
  try {
    thread_ = std::jthread(remove);
  } catch (const std::system_error&) {
    remove();
  }
}

}  // namespace restree
