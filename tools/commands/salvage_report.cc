#include "tools/commands/salvage_report.h"

#include <fmt/core.h>

#include "repo/base/readable.h"
#include "repo/text/json_writer.h"

namespace restree {
namespace {

constexpr std::size_t kRangesInALine = 20;

// "bytes 0 to 1023 and 4096 to 8191".
std::string in_words(const std::vector<LostRange>& ranges) {
  std::string words = "bytes ";
  for (std::size_t i = 0; i < ranges.size() && i < kRangesInALine; ++i) {
    if (i > 0) words += i + 1 == ranges.size() ? " and " : ", ";
    words += fmt::format("{} to {}", ranges[i].begin, ranges[i].end - 1);
  }
  if (ranges.size() > kRangesInALine) {
    words += fmt::format(" and {} more ranges", ranges.size() - kRangesInALine);
  }
  return words;
}

}  // namespace

void SalvageReport::lost(const std::string& location, std::uint64_t size,
                         const std::vector<LostRange>& ranges) {
  auto items = items_.lock();
  Item& item = (*items)[location];
  item.is_file = true;
  item.size = size;
  item.ranges = ranges;
}

void SalvageReport::error(const std::string& location, const Error& error) {
  (*items_.lock())[location].why = error.message();
}

// One of which nothing could be read is not made.
bool SalvageReport::is_filled(const Item& item) const {
  const bool has_nothing =
      item.ranges.size() == 1 && item.ranges.front() == LostRange{0, item.size};
  return fills_ && item.is_file && !has_nothing;
}

std::string SalvageReport::as_text() const {
  std::string text;
  auto items = items_.lock();
  for (const auto& [path, item] : *items) {
    text += readable(path) + ": ";
    if (item.is_file && !item.ranges.empty()) {
      text += fmt::format(
          "{}: {} of {} cannot be read: ", is_filled(item) ? "filled with zeros" : "left out",
          in_words(item.ranges), item.size);
    }
    text += readable(item.why) + "\n";
  }
  return text;
}

std::string SalvageReport::as_json() const {
  JsonWriter json;
  json.begin_array();
  auto items = items_.lock();
  for (const auto& [path, item] : *items) {
    json.begin_object().key("path").text(path).key("error").text(item.why);
    if (item.is_file) {
      json.key("size").number(item.size);
      json.key("state").text(is_filled(item) ? "filled" : "left_out");
      json.key("lost").begin_array();
      for (const LostRange& range : item.ranges) {
        json.begin_array().number(range.begin).number(range.end).end_array();
      }
      json.end_array();
    }
    json.end_object();
  }
  return json.end_array().json();
}

}  // namespace restree
