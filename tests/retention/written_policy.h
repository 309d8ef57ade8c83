// Policies and snapshots, written shortly.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "repo/format/snapshot.h"
#include "repo/retention/retention_policy.h"
#include "repo/snapshots/snapshot_filter.h"
#include "tests/support/matchers.h"

namespace restree::testing {

// The policy of the words "daily=3", "within=7d", "within-weekly=2y", "tag=a,b", as after --keep-.
inline RetentionPolicy policy(const std::string& rules) {
  RetentionPolicy made;
  std::istringstream words(rules);
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const std::string value = word.substr(equals + 1);
    bool is_known = name == "tag";
    if (is_known) made.tag_lists.push_back(split_tags(value));
    for (const BucketKind kind : kAllBucketKinds) {
      const auto at = static_cast<std::size_t>(kind);
      const bool is_count = name == rule_word(kind);
      const bool is_span = kind == BucketKind::kEach
                               ? name == "within"
                               : name == "within-" + std::string(rule_word(kind));
      if (is_count) made.counts[at] = value_of(parse_keep_count(value));
      if (is_span) made.spans[at] = value_of(CalendarSpan::parse(value));
      is_known = is_known || is_count || is_span;
    }
    if (!is_known) throw std::runtime_error("no rule is called " + name);
  }
  return made;
}

inline Snapshot snapshot_of(const std::string& time, std::vector<std::string> tags = {}) {
  Snapshot made;
  const ZonedTimestamp zoned = value_of(parse_zoned_timestamp(time));
  made.time = zoned.time;
  made.time_offset_seconds = zoned.offset_seconds;
  made.tags = std::move(tags);
  return made;
}

}  // namespace restree::testing
