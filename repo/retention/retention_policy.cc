#include "repo/retention/retention_policy.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "repo/text/go_quote.h"

namespace restree {
namespace {

constexpr std::string_view kUnlimitedWord = "unlimited";

Error not_a_count(std::string_view text, std::string_view why) {
  std::string quoted = "\"";
  append_go_quoted(text, quoted);
  return {ErrorKind::kInvalid, fmt::format("strconv.ParseInt: parsing {}\": {}", quoted, why)};
}

std::string_view counted_word(BucketKind kind) {
  return kind == BucketKind::kEach ? "latest" : rule_word(kind);
}

}  // namespace

bool RetentionPolicy::empty() const {
  return tag_lists.empty() &&
         std::ranges::none_of(kAllBucketKinds, [this](BucketKind kind) { return uses(kind); });
}

Status RetentionPolicy::check() const {
  if (std::ranges::any_of(spans, &CalendarSpan::has_negative_part)) {
    return Error(ErrorKind::kInvalid,
                 "durations containing negative values are not allowed for --keep-within*");
  }
  return {};
}

std::string RetentionPolicy::description() const {
  if (empty()) return "remove";
  std::vector<std::string> counted;
  std::vector<std::string> parts;
  for (const BucketKind kind : kAllBucketKinds) {
    if (count(kind) == 0) continue;
    const std::string how_many = count(kind) == kUnlimited ? "all" : fmt::format("{}", count(kind));
    counted.push_back(fmt::format("{} {}", how_many, counted_word(kind)));
  }
  if (!counted.empty()) parts.push_back(fmt::format("{} snapshots", fmt::join(counted, ", ")));
  for (const BucketKind kind : kAllBucketKinds) {
    if (kind == BucketKind::kEach || span(kind).is_zero()) continue;
    parts.push_back(fmt::format("{} snapshots within {}", rule_word(kind), span(kind).text()));
  }
  std::vector<std::string> sentence;
  if (!parts.empty()) sentence.push_back(fmt::format("{}", fmt::join(parts, ", ")));
  if (!tag_lists.empty()) {
    std::vector<std::string> lists;
    for (const auto& tags : tag_lists) lists.push_back(tag_list_text(tags));
    sentence.push_back(fmt::format("all snapshots with tags [{}]", fmt::join(lists, " ")));
  }
  if (const CalendarSpan& within = span(BucketKind::kEach); !within.is_zero()) {
    sentence.push_back(fmt::format("all snapshots within {} of the newest", within.text()));
  }
  return fmt::format("keep {}", fmt::join(sentence, " and "));
}

Result<std::int64_t> parse_keep_count(std::string_view text) {
  if (text == kUnlimitedWord) return RetentionPolicy::kUnlimited;
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t count = 0;
  const char* const end = digits.data() + digits.size();
  const auto [parsed_to, error] = std::from_chars(digits.data(), end, count);
  const bool has_two_signs = digits.size() != text.size() && digits.starts_with('-');
  if (error == std::errc::invalid_argument || has_two_signs || parsed_to != end) {
    return not_a_count(text, "invalid syntax");
  }
  if (error == std::errc::result_out_of_range) return not_a_count(text, "value out of range");
  if (count < 0) {
    return Error(ErrorKind::kInvalid, "negative values not allowed, use 'unlimited' instead");
  }
  return count;
}

std::string tag_list_text(const std::vector<std::string>& tags) {
  return fmt::format("[{}]", fmt::join(tags, ", "));
}

}  // namespace restree
