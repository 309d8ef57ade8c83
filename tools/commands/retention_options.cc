#include "tools/commands/retention_options.h"

#include <fmt/core.h>

#include <cstddef>

#include "repo/snapshots/snapshot_filter.h"
#include "tools/cli/option_words.h"

namespace restree {
namespace {

constexpr std::string_view kCountWord = "COUNT";
constexpr std::string_view kSpanWord = "SPAN";

void add_count_option(CommandSyntax& app, BucketKind kind, char letter, std::int64_t& count) {
  const auto set = [&count](const std::string& text) -> Status {
    ASSIGN_OR_RETURN(count, parse_keep_count(text));
    return {};
  };
  const std::string word(bucket_word(kind));
  add_value(app, fmt::format("-{},--keep-{}", letter, rule_word(kind)), kCountWord, set,
            kind == BucketKind::kEach
                ? "Keep the newest COUNT snapshots, or all with unlimited"
                : fmt::format("Keep the newest snapshot of each of the last COUNT {}s that have "
                              "one, or of each with unlimited",
                              word));
}

void add_span_option(CommandSyntax& app, BucketKind kind, CalendarSpan& span) {
  const auto set = [&span](const std::string& text) -> Status {
    ASSIGN_OR_RETURN(span, CalendarSpan::parse(text));
    return {};
  };
  if (kind == BucketKind::kEach) {
    return add_value(app, "--keep-within", kSpanWord, set,
                     "Keep what is newer than the newest snapshot minus this: 1y5m7d2h");
  }
  add_value(app, fmt::format("--keep-within-{}", rule_word(kind)), kSpanWord, set,
            fmt::format("Of that, keep the newest snapshot of each {}", bucket_word(kind)));
}

}  // namespace

RetentionPolicy RetentionOptions::policy() const {
  RetentionPolicy policy = rules;
  for (const std::string& list : tag_lists) policy.tag_lists.push_back(split_tags(list));
  return policy;
}

void add_retention_options(CommandSyntax& app, RetentionOptions& options) {
  constexpr std::string_view kLetters = "lHdwmy";
  for (const BucketKind kind : kAllBucketKinds) {
    const auto at = static_cast<std::size_t>(kind);
    add_count_option(app, kind, kLetters[at], options.rules.counts[at]);
  }
  for (const BucketKind kind : kAllBucketKinds) {
    add_span_option(app, kind, options.rules.spans[static_cast<std::size_t>(kind)]);
  }
  add_list(app, "--keep-tag", options.tag_lists,
           "Keep snapshots with all of these tags, TAG,TAG,…");
}

}  // namespace restree
