#include "repo/snapshots/future_dates.h"

#include <algorithm>
#include <tuple>

#include "repo/base/log.h"

namespace restree {
namespace {

const Snapshot* newest_of(const std::vector<const Snapshot*>& snapshots) {
  const auto older = [](const Snapshot* a, const Snapshot* b) {
    return std::tie(a->time, a->id) < std::tie(b->time, b->id);
  };
  const auto newest = std::ranges::max_element(snapshots, older);
  return newest == snapshots.end() ? nullptr : *newest;
}

}  // namespace

const Snapshot* latest_of(const std::vector<const Snapshot*>& snapshots, Timestamp now) {
  std::vector<const Snapshot*> dated_right = snapshots;
  std::erase_if(dated_right, [&](const Snapshot* one) { return is_of_future(one->time, now); });
  return newest_of(dated_right.empty() ? snapshots : dated_right);
}

void warn_of_future(const std::vector<const Snapshot*>& snapshots, const Snapshot& latest,
                    Timestamp now) {
  const Snapshot* const newest = newest_of(snapshots);
  if (newest == nullptr || !is_of_future(newest->time, now)) return;
  const std::string date = format_timestamp(newest->time);
  if (newest->id == latest.id) {
    log::warning(
        "the latest snapshot, {}, is dated in the future ({}), and so are all others: is the "
        "clock of this machine right?",
        newest->id.short_hex(), date);
  } else {
    log::warning(
        "snapshot {} is dated in the future ({}), so {} is taken for the latest; to use the "
        "other one, give its id",
        newest->id.short_hex(), date, latest.id.short_hex());
  }
}

}  // namespace restree
