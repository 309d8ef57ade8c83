#include "repo/text/go_layout.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

namespace restree {
namespace {

struct Word {
  std::string_view go;
  std::string_view strftime;
};

// Of words that begin alike, the longest first.
constexpr std::array kWords = {
    Word{"January", "%B"},
    Word{"Jan", "%b"},
    Word{"Monday", "%A"},
    Word{"Mon", "%a"},
    Word{"MST", "UTC"},
    Word{"01", "%m"},
    Word{"02", "%d"},
    Word{"03", "%I"},
    Word{"04", "%M"},
    Word{"05", "%S"},
    Word{"06", "%y"},
    Word{"002", "%j"},
    Word{"15", "%H"},
    Word{"1", "%-m"},
    Word{"2006", "%Y"},
    Word{"2", "%-d"},
    Word{"_2006", "_%Y"},
    Word{"_2", "%e"},
    Word{"__2", "%_j"},
    Word{"3", "%-I"},
    Word{"4", "%-M"},
    Word{"5", "%-S"},
    Word{"PM", "%p"},
    Word{"pm", "%P"},
    Word{"-07:00:00", "+00:00:00"},
    Word{"-070000", "+000000"},
    Word{"-07:00", "+00:00"},
    Word{"-0700", "+0000"},
    Word{"-07", "+00"},
    Word{"Z07:00:00", "Z"},
    Word{"Z070000", "Z"},
    Word{"Z07:00", "Z"},
    Word{"Z0700", "Z"},
    Word{"Z07", "Z"},
};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The word that `layout` begins with.
std::optional<Word> word_at(std::string_view layout) {
  for (const Word& word : kWords) {
    if (!layout.starts_with(word.go)) continue;
    const std::string_view rest = layout.substr(word.go.size());
    // To Go, "Janet" and "Month" are plain text.
    const bool is_short_name = word.go == "Jan" || word.go == "Mon";
    if (is_short_name && !rest.empty() && is_lower(rest.front())) continue;
    return word;
  }
  return std::nullopt;
}

// The length of ".000", ",999" and the like where `layout` begins with one; else 0.
std::size_t fraction_at(std::string_view layout) {
  if (layout.size() < 2 || (layout[0] != '.' && layout[0] != ',')) return 0;
  if (layout[1] != '0' && layout[1] != '9') return 0;
  const std::size_t end = std::min(layout.find_first_not_of(layout[1], 1), layout.size());
  return end < layout.size() && is_digit(layout[end]) ? 0 : end;
}

Error bad_layout(std::string what) {
  return Error(ErrorKind::kInvalid, std::move(what))
      .hinting(
          "It is written as Go's time.Format has it, with the time Mon Jan 2 15:04:05 -0700 MST "
          "2006, "
          "such as 2006-01-02_15-04-05.");
}

}  // namespace

Result<std::string> strftime_of_go_layout(std::string_view layout) {
  if (layout.empty()) return bad_layout("time template string cannot be empty");
  std::string format;
  bool tells_time = false;
  while (!layout.empty()) {
    if (const std::size_t length = fraction_at(layout); length > 0) {
      return Error(ErrorKind::kInvalid,
                   fmt::format("the time template has a fraction of a second, {}, which names of "
                               "snapshots cannot have",
                               layout.substr(0, length)))
          .hinting("Leave it out: snapshots of one second are numbered.");
    }
    if (const std::optional<Word> word = word_at(layout)) {
      format += word->strftime;
      tells_time = tells_time || word->strftime.find('%') != std::string_view::npos;
      layout.remove_prefix(word->go.size());
      continue;
    }
    format += layout.front() == '%' ? "%%" : std::string(1, layout.front());
    layout.remove_prefix(1);
  }
  if (!tells_time) return bad_layout("the time template has no word for a part of a time");
  return format;
}

}  // namespace restree
