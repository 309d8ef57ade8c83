#include "repo/text/time_words.h"

#include <fmt/core.h>

#include <optional>
#include <sstream>
#include <vector>

namespace restree {
namespace {

// Turns 02.01.2006 into 2006-01-02; returns anything else unchanged.
std::string iso_date(const std::string& date) {
  if (date.size() != 10 || date[2] != '.' || date[5] != '.') return date;
  return date.substr(6) + "-" + date.substr(3, 2) + "-" + date.substr(0, 2);
}

bool is_offset(const std::string& word) {
  return word.size() == 5 && (word[0] == '+' || word[0] == '-');
}

std::optional<Timestamp> parse(const std::vector<std::string>& words, const TimeZone& zone) {
  if (words.empty() || words.size() > 3) return std::nullopt;
  const std::string date = iso_date(words[0]);
  std::string clock = words.size() > 1 ? words[1] : "00:00:00";
  if (clock.size() == 5) clock += ":00";
  if (words.size() < 3) return parse_local_time(date + " " + clock, zone);
  if (!is_offset(words[2]) || words[1].size() == 5) return std::nullopt;
  return parse_timestamp(date + "T" + clock + words[2].substr(0, 3) + ":" + words[2].substr(3));
}

}  // namespace

Result<Timestamp> parse_time_words(const std::string& text, const TimeZone& zone) {
  std::vector<std::string> words;
  std::istringstream list(text);
  for (std::string word; list >> word;) words.push_back(word);
  if (const auto time = parse(words, zone)) return *time;
  return Error(ErrorKind::kInvalid, fmt::format("unable to parse time: \"{}\"", text))
      .hinting("Write it like 2026-09-01, 2026-09-01 03:00 or 2026-09-01 03:00:05 +0200.");
}

}  // namespace restree
