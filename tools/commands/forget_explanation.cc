#include "tools/commands/forget_explanation.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <vector>

#include "tools/commands/snapshot_table.h"
#include "tools/output/table.h"

namespace restree {
namespace {

ZonedTimestamp recorded_time(const Snapshot& snapshot) {
  return {snapshot.time, snapshot.time_offset_seconds};
}

// "+02:00"; "Z" for UTC.
std::string zone_text(const ZonedTimestamp& time) {
  const std::string text = format_zoned_timestamp({{time.time.seconds, 0}, time.offset_seconds});
  return text.substr(sizeof("2006-01-02T15:04:05") - 1);
}

// "2006-01-02 15:04:05 +02:00"
std::string recorded_text(const ZonedTimestamp& time) {
  std::string text = format_zoned_timestamp({{time.time.seconds, 0}, time.offset_seconds});
  text[10] = ' ';
  return text.insert(19, " ");
}

std::string day_of(const ZonedTimestamp& time) { return bucket_name(BucketKind::kDay, time); }

std::string expiry_text(const Expiry& expiry) {
  switch (expiry.kind) {
    case Expiry::Kind::kNow:
      return "now";
    case Expiry::Kind::kOn:
      return day_of(expiry.when);
    case Expiry::Kind::kNotBefore:
      return "not before " + day_of(expiry.when);
    case Expiry::Kind::kNever:
      return "never";
  }
  return "";
}

// "1d2h", "15m".
std::string interval_text(std::int64_t seconds) {
  const std::int64_t minutes = (seconds + 30) / 60;
  std::string text;
  if (minutes >= 1440) text += fmt::format("{}d", minutes / 1440);
  if (minutes / 60 % 24 != 0) text += fmt::format("{}h", minutes / 60 % 24);
  if (minutes % 60 != 0) text += fmt::format("{}m", minutes % 60);
  return text;
}

// Those that the policy has rules about, and that are stretches of the calendar.
std::vector<BucketKind> buckets_of(const RetentionPolicy& policy) {
  std::vector<BucketKind> kinds;
  for (const BucketKind kind : kAllBucketKinds) {
    if (kind != BucketKind::kEach && policy.uses(kind)) kinds.push_back(kind);
  }
  return kinds;
}

std::string capitalized(std::string_view word) {
  std::string text(word);
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

}  // namespace

void print_explanation(JudgedGroup& group, GroupBy by, const Judging& judging,
                       const Output& output) {
  const std::vector<BucketKind> kinds = buckets_of(judging.policy);
  const Forecast future = forecast(group.judged, judging.policy, judging.now, judging.zone);
  make_readable(group.group, output);
  std::vector<std::string> columns{"ID", "Time and zone"};
  for (const BucketKind kind : kinds) columns.push_back(capitalized(bucket_word(kind)));
  columns.insert(columns.end(), {"Kept by", "Dropped"});
  Table table(std::move(columns));
  for (std::size_t i = group.judged.size(); i-- > 0;) {
    const JudgedSnapshot& one = group.judged[i];
    const ZonedTimestamp time = recorded_time(*one.snapshot);
    std::vector<std::string> cells{one.snapshot->id.short_hex(), recorded_text(time)};
    for (const BucketKind kind : kinds) cells.push_back(bucket_name(kind, time));
    cells.push_back(one.is_kept() ? fmt::format("{}", fmt::join(one.reasons, "\n")) : "no rule");
    cells.push_back(expiry_text(future.expiries[i]));
    table.add_row(std::move(cells));
  }
  table.add_footer("Days, weeks and so on are those of the zone that a snapshot was written in");
  table.add_footer(fmt::format(
      "Dropped: if a backup is made every {} from now on, and this policy applied after each",
      interval_text(future.interval_seconds)));
  output.say(group_header(group.group, by) + table.text());
}

void append_explanation(JsonWriter& json, const JudgedGroup& group, const Judging& judging) {
  const std::vector<BucketKind> kinds = buckets_of(judging.policy);
  const Forecast future = forecast(group.judged, judging.policy, judging.now, judging.zone);
  json.begin_object().key("interval_seconds");
  json.number(static_cast<std::uint64_t>(future.interval_seconds)).key("snapshots").begin_array();
  for (std::size_t i = 0; i < group.judged.size(); ++i) {
    const JudgedSnapshot& one = group.judged[i];
    const ZonedTimestamp time = recorded_time(*one.snapshot);
    json.begin_object().key("id").text(one.snapshot->id.hex());
    json.key("zone").text(zone_text(time)).key("buckets").begin_object();
    for (const BucketKind kind : kinds) json.key(bucket_word(kind)).text(bucket_name(kind, time));
    json.end_object().key("kept_by").begin_array();
    for (const std::string& reason : one.reasons) json.text(reason);
    json.end_array().key("dropped").text(expiry_text(future.expiries[i])).end_object();
  }
  json.end_array().end_object();
}

}  // namespace restree
