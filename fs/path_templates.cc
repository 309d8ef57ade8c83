#include "fs/path_templates.h"

#include <algorithm>
#include <ranges>
#include <set>
#include <span>
#include <utility>

#include "repo/snapshots/app_names.h"

namespace restree {
namespace {

constexpr std::string_view kWords = "iIuhtT";

// `tags`: what the words %t stand for, the next one first.
std::string value_of(char word, const Snapshot& snapshot, std::string_view time,
                     std::span<const std::string* const>& tags) {
  switch (word) {
    case 'i':
      return snapshot.id.short_hex();
    case 'I':
      return snapshot.id.hex();
    case 'u':
      return snapshot.username;
    case 'h':
      return snapshot.hostname;
    case 'T':
      return std::string(time);
    default:
      break;
  }
  const std::string& tag = *tags.front();
  tags = tags.subspan(1);
  return tag;
}

// Goes on to the next combination of numbers below `limit`; false after the last.
bool advance(std::vector<std::size_t>& numbers, std::size_t limit) {
  for (std::size_t& number : std::views::reverse(numbers)) {
    if (++number < limit) return true;
    number = 0;
  }
  return false;
}

}  // namespace

bool PathTemplate::is_fixed(const Entry& entry) {
  return std::ranges::all_of(entry, [](const Part& part) { return part.word == 0; });
}

Result<PathTemplate> PathTemplate::parse(std::string_view text) {
  if (text.empty()) return Error(ErrorKind::kInvalid, "must not be empty");
  if (text.front() == '/' || text.back() == '/') {
    return Error(ErrorKind::kInvalid, "must not start or end with '/'");
  }
  PathTemplate parsed;
  Entry entry;
  const auto end_entry = [&] {
    // "a//b" and "a/./b" are "a/b", as in any path.
    const bool is_dot = entry.size() == 1 && entry.front().word == 0 && entry.front().text == ".";
    if (!entry.empty() && !is_dot) parsed.entries_.push_back(std::exchange(entry, {}));
    entry.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      end_entry();
      continue;
    }
    if (text[i] == '%' && i + 1 < text.size()) {
      ++i;
      if (kWords.find(text[i]) != std::string_view::npos) {
        entry.push_back({text[i], ""});
        continue;
      }
    } else if (text[i] == '%') {
      return Error(ErrorKind::kInvalid, "ends with a lone '%'; write %% for that character");
    }
    if (entry.empty() || entry.back().word != 0) entry.emplace_back();
    entry.back().text += text[i];
  }
  end_entry();
  if (parsed.entries_.empty()) return Error(ErrorKind::kInvalid, "names no path");
  for (const Entry& checked : parsed.entries_) {
    if (checked.size() == 1 && checked.front().word == 0 && checked.front().text == "..") {
      return Error(ErrorKind::kInvalid, "must not contain '..'");
    }
  }
  return parsed;
}

std::vector<PathTemplate::Path> PathTemplate::paths_of(const Snapshot& snapshot,
                                                       std::string_view time) const {
  std::size_t tag_words = 0;
  for (const Entry& entry : entries_) {
    tag_words += static_cast<std::size_t>(std::ranges::count(entry, 't', &Part::word));
  }
  // A tag may have been given twice.
  const std::set<std::string> unique(snapshot.tags.begin(), snapshot.tags.end());
  if (tag_words > 0 && unique.empty()) return {};
  std::vector<const std::string*> tags;
  tags.reserve(unique.size());
  for (const std::string& tag : unique) tags.push_back(&tag);

  const std::size_t most = std::max(kMostPaths, tags.size());
  std::vector<Path> paths;
  std::vector<std::size_t> numbers(tag_words);  // of the tag for each %t
  do {
    std::vector<const std::string*> chosen;
    chosen.reserve(numbers.size());
    for (const std::size_t number : numbers) chosen.push_back(tags[number]);
    std::span<const std::string* const> left(chosen);
    Path& path = paths.emplace_back();
    for (const Entry& entry : entries_) {
      std::string name;
      for (const Part& part : entry) {
        name += part.word == 0 ? part.text : value_of(part.word, snapshot, time, left);
      }
      path.push_back(entry_name(name));
    }
  } while (advance(numbers, tags.size()) && paths.size() < most);
  return paths;
}

PathTemplate::Path PathTemplate::fixed_folders() const {
  Path folders;
  for (std::size_t i = 0; i + 1 < entries_.size() && is_fixed(entries_[i]); ++i) {
    folders.push_back(entry_name(entries_[i].front().text));
  }
  return folders;
}

bool PathTemplate::begins_with(std::string_view name) const {
  const Entry& first = entries_.front();
  return is_fixed(first) && first.front().text == name;
}

bool PathTemplate::ends_with_time() const { return entries_.back().back().word == 'T'; }

}  // namespace restree
