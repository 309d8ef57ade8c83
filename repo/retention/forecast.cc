#include "repo/retention/forecast.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "repo/retention/policy_rules.h"
#include "repo/text/calendar.h"

namespace restree {
namespace {

constexpr std::int64_t kLeastInterval = 900;
constexpr std::size_t kMostGaps = 10;

// A snapshot of the future that is played through.
struct Player {
  Subject subject;
  std::optional<std::size_t> place;  // among those that were judged; nullopt: a later backup
};

bool has_tags(const JudgedSnapshot& one) {
  return std::ranges::any_of(
      one.reasons, [](const std::string& reason) { return reason.starts_with("has tags "); });
}

// Whether a tag or a rule without a limit keeps it. Even if it is kept as the oldest of its group:
// later backups leave it that.
bool is_kept_for_good(const Subject& subject, const RuleMatches& matches,
                      const RetentionPolicy& policy) {
  return subject.is_tagged || std::ranges::any_of(kAllBucketKinds, [&](BucketKind kind) {
           return policy.count(kind) == RetentionPolicy::kUnlimited &&
                  (matches.counts & RuleMatches::bit(kind)) != 0;
         });
}

class PlayedFuture {
 public:
  PlayedFuture(const std::vector<JudgedSnapshot>& judged, const RetentionPolicy& policy,
               const TimeZone& zone)
      : policy_(policy), zone_(zone), expiries_(judged.size(), {Expiry::Kind::kNow}) {
    for (std::size_t i = 0; i < judged.size(); ++i) {
      const Snapshot& one = *judged[i].snapshot;
      if (!judged[i].is_kept()) continue;
      players_.push_back(
          {Subject::of({one.time, one.time_offset_seconds}, has_tags(judged[i])), i});
    }
  }

  // A backup at this moment, and the policy right after it.
  void step(Timestamp time) {
    time_ = in_zone(time, zone_);
    const auto place = std::ranges::find_if(
        players_, [&](const Player& one) { return one.subject.time.time <= time; });
    players_.insert(place, {Subject::of(time_, false), std::nullopt});
    judge({time.seconds + 1, 0});
    std::size_t left = 0;
    for (std::size_t i = 0; i < players_.size(); ++i) {
      const Player& one = players_[i];
      if (matches_[i].any() || one.subject.is_tagged) {
        players_[left] = one;
        matches_[left++] = matches_[i];
      } else if (one.place) {
        expiries_[*one.place] = {Expiry::Kind::kOn, time_};
      }
    }
    players_.resize(left);
    matches_.resize(left);
  }

  std::size_t size() const { return players_.size(); }
  // Whether a snapshot is left whose end is still to be found.
  bool goes_on() const {
    return std::ranges::any_of(
        players_, [](const Player& one) { return one.place && !one.subject.is_tagged; });
  }

  std::vector<Expiry> finish() && {
    judge({time_.time.seconds + 1, 0});
    for (std::size_t i = 0; i < players_.size(); ++i) {
      if (!players_[i].place) continue;
      const bool for_good = is_kept_for_good(players_[i].subject, matches_[i], policy_);
      expiries_[*players_[i].place] =
          for_good ? Expiry{Expiry::Kind::kNever} : Expiry{Expiry::Kind::kNotBefore, time_};
    }
    return std::move(expiries_);
  }

 private:
  void judge(Timestamp now) {
    subjects_.clear();
    for (const Player& one : players_) subjects_.push_back(one.subject);
    match_rules(subjects_, policy_, now, zone_, matches_);
  }

  const RetentionPolicy& policy_;
  const TimeZone& zone_;
  std::vector<Expiry> expiries_;
  std::vector<Player> players_;  // the newest first
  std::vector<Subject> subjects_;
  std::vector<RuleMatches> matches_;
  ZonedTimestamp time_;
};

}  // namespace

std::int64_t usual_interval(const std::vector<JudgedSnapshot>& judged, Timestamp now) {
  std::vector<std::int64_t> gaps;
  std::optional<Timestamp> later;
  for (const JudgedSnapshot& one : judged) {
    if (one.snapshot->time >= now) continue;
    if (later) gaps.push_back(later->seconds - one.snapshot->time.seconds);
    later = one.snapshot->time;
    if (gaps.size() == kMostGaps) break;
  }
  if (gaps.empty()) return kSecondsOfDay;
  const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
  std::ranges::nth_element(gaps, middle);
  return std::max(*middle, kLeastInterval);
}

Forecast forecast(const std::vector<JudgedSnapshot>& judged, const RetentionPolicy& policy,
                  Timestamp now, const TimeZone& zone) {
  const std::int64_t interval = usual_interval(judged, now);
  const auto newest = std::ranges::find_if(
      judged, [&](const JudgedSnapshot& one) { return one.snapshot->time < now; });
  // The first moment of the rhythm that is still to come.
  Timestamp time = newest == judged.end() ? now : (*newest).snapshot->time;
  time.seconds += ((now.seconds - time.seconds) / interval + 1) * interval;
  PlayedFuture future(judged, policy, zone);
  std::size_t work = 0;
  for (std::size_t i = 0; i < kMostSteps && work < kMostWork && future.goes_on(); ++i) {
    future.step(time);
    work += future.size();
    time.seconds += interval;
  }
  return {interval, std::move(future).finish()};
}

}  // namespace restree
