#include "program/repeated_visits.h"

#include <exception>
#include <utility>

#include "repo/base/last_resort.h"
#include "repo/base/log.h"
#include "repo/identity.h"

namespace restree {
namespace {

constexpr std::int64_t kMostBetween = 24 * 3600;

}  // namespace

void RepeatedVisits::keep() {
  Status kept;
  try {
    kept = try_to_keep();
  } catch (const std::exception& failure) {
    kept = error_of(failure);
  }
  if (kept && std::exchange(has_failed_, false)) {
    log::warning("what the {} sees is kept for restree audit again", command_);
  } else if (!kept && !std::exchange(has_failed_, true)) {
    log::warning("what the {} sees is not kept for restree audit: {}", command_,
                 kept.error().message());
  }
}

Status RepeatedVisits::try_to_keep() {
  const std::int64_t now = wall_clock_now().seconds;
  const bool is_due = now < kept_at_ || now - kept_at_ >= kMostBetween;
  if (!is_due && !has_failed_ && !record_.has_news() && !record_.have_others_written()) return {};
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> found, record_.keep_and_count(command_));
  if (!found) return {};
  kept_at_ = now;
  const std::uint64_t before = std::exchange(*findings_.lock(), found).value_or(0);
  if (*found > before) {
    log::warning(
        "something has changed in the repository that nobody here has done: {} to look at, "
        "which restree audit tells",
        *found);
  }
  return {};
}

}  // namespace restree
