#include "repo/retention/policy_rules.h"

#include <fmt/core.h>

#include <cstddef>

#include "repo/text/calendar.h"

namespace restree {
namespace {

constexpr std::size_t index_of(BucketKind kind) { return static_cast<std::size_t>(kind); }

// A rule about buckets of one kind, on its way from the newest snapshot to the oldest.
class BucketRule {
 public:
  explicit BucketRule(BucketKind kind) : kind_(kind) {}

  enum class Answer { kDrops, kKeeps, kKeepsAsOldest };
  Answer judge(const Subject& subject, std::size_t place, bool is_oldest) {
    const std::int64_t bucket = kind_ == BucketKind::kEach ? static_cast<std::int64_t>(place)
                                                           : subject.buckets[index_of(kind_)];
    const bool is_new = !has_kept_ || bucket != last_kept_;
    if (!is_new && !is_oldest) return Answer::kDrops;
    has_kept_ = true;
    last_kept_ = bucket;
    return is_new ? Answer::kKeeps : Answer::kKeepsAsOldest;
  }

 private:
  const BucketKind kind_;
  bool has_kept_ = false;
  std::int64_t last_kept_ = 0;
};

void note(BucketRule::Answer answer, BucketKind kind, std::uint8_t& kept, std::uint8_t& oldest) {
  if (answer == BucketRule::Answer::kDrops) return;
  kept |= RuleMatches::bit(kind);
  if (answer == BucketRule::Answer::kKeepsAsOldest) oldest |= RuleMatches::bit(kind);
}

void match_count(const std::vector<Subject>& newest_first, BucketKind kind, std::int64_t count,
                 std::vector<RuleMatches>& matches) {
  BucketRule rule(kind);
  for (std::size_t i = 0; i < newest_first.size() && count != 0; ++i) {
    const auto answer = rule.judge(newest_first[i], i, i + 1 == newest_first.size());
    note(answer, kind, matches[i].counts, matches[i].oldest_counts);
    if (answer != BucketRule::Answer::kDrops && count != RetentionPolicy::kUnlimited) --count;
  }
}

void match_span(const std::vector<Subject>& newest_first, BucketKind kind, Timestamp after,
                std::vector<RuleMatches>& matches) {
  BucketRule rule(kind);
  for (std::size_t i = 0; i < newest_first.size(); ++i) {
    if (newest_first[i].time.time <= after) return;  // as are all that follow
    const auto answer = rule.judge(newest_first[i], i, i + 1 == newest_first.size());
    note(answer, kind, matches[i].spans, matches[i].oldest_spans);
  }
}

}  // namespace

Subject Subject::of(const ZonedTimestamp& time, bool is_tagged) {
  Subject subject{time, {}, is_tagged};
  for (const BucketKind kind : kAllBucketKinds) {
    subject.buckets[index_of(kind)] = bucket_of(kind, time);
  }
  return subject;
}

ZonedTimestamp newest_before(const std::vector<Subject>& group, Timestamp now) {
  ZonedTimestamp newest{{days_since_epoch({1, 1, 1}) * kSecondsOfDay, 0}, 0};
  for (const Subject& one : group) {
    if (one.time.time < now && one.time.time > newest.time) newest = one.time;
  }
  return newest;
}

void match_rules(const std::vector<Subject>& newest_first, const RetentionPolicy& policy,
                 Timestamp now, const TimeZone& zone, std::vector<RuleMatches>& matches) {
  matches.assign(newest_first.size(), {});
  const ZonedTimestamp newest = newest_before(newest_first, now);
  for (const BucketKind kind : kAllBucketKinds) {
    match_count(newest_first, kind, policy.count(kind), matches);
    const CalendarSpan& span = policy.span(kind);
    if (span.is_zero()) continue;
    match_span(newest_first, kind, moment_before(newest, span, zone), matches);
  }
}

std::vector<std::string> reason_texts(const RuleMatches& matches,
                                      const std::vector<std::string>& lists,
                                      const RetentionPolicy& policy) {
  std::vector<std::string> texts;
  for (const std::string& list : lists) texts.push_back("has tags " + list);
  if ((matches.spans & RuleMatches::bit(BucketKind::kEach)) != 0) {
    texts.push_back("within " + policy.span(BucketKind::kEach).text());
  }
  const auto oldest = [](std::uint8_t bits, BucketKind kind) {
    return (bits & RuleMatches::bit(kind)) != 0 ? "oldest " : "";
  };
  for (const BucketKind kind : kAllBucketKinds) {
    if ((matches.counts & RuleMatches::bit(kind)) == 0) continue;
    texts.push_back(
        fmt::format("{}{} snapshot", oldest(matches.oldest_counts, kind), rule_word(kind)));
  }
  for (const BucketKind kind : kAllBucketKinds) {
    if (kind == BucketKind::kEach || (matches.spans & RuleMatches::bit(kind)) == 0) continue;
    texts.push_back(fmt::format("{}{} within {}", oldest(matches.oldest_spans, kind),
                                rule_word(kind), policy.span(kind).text()));
  }
  return texts;
}

}  // namespace restree
