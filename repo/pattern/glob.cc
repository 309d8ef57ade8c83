#include "repo/pattern/glob.h"

#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include "repo/text/utf8.h"

namespace restree {
namespace {

// A byte that is not UTF-8 counts as one character.
std::uint32_t take_rune(std::string_view& text) {
  const DecodedRune decoded = decode_utf8(text);
  text.remove_prefix(std::max<std::size_t>(decoded.length, 1));
  return decoded.length == 0 ? kReplacementRune : decoded.rune;
}

// Takes one end of a range in a class from the front of `rest`; nullopt: malformed.
std::optional<std::uint32_t> take_class_rune(std::string_view& rest) {
  if (rest.empty() || rest.front() == '-' || rest.front() == ']') return std::nullopt;
  if (rest.front() == '\\') rest.remove_prefix(1);
  if (decode_utf8(rest).length == 0) return std::nullopt;
  const std::uint32_t rune = take_rune(rest);
  if (rest.empty()) return std::nullopt;  // the closing bracket must still follow
  return rune;
}

// Takes a class from the front of the pattern. Returns whether `rune` is in it; nullopt: malformed.
std::optional<bool> take_class(std::string_view& pattern, std::uint32_t rune) {
  pattern.remove_prefix(1);
  const bool negated = pattern.starts_with('^');
  if (negated) pattern.remove_prefix(1);
  bool found = false;
  for (bool is_first = true; is_first || !pattern.starts_with(']'); is_first = false) {
    const auto low = take_class_rune(pattern);
    if (!low) return std::nullopt;
    auto high = low;
    if (pattern.front() == '-') {
      pattern.remove_prefix(1);
      high = take_class_rune(pattern);
      if (!high) return std::nullopt;
    }
    found = found || (*low <= rune && rune <= *high);
  }
  pattern.remove_prefix(1);
  return found != negated;
}

// Takes the part up to the next star outside of a class from the front of the pattern.
std::string_view take_chunk(std::string_view& pattern) {
  bool in_class = false;
  std::size_t end = 0;
  for (; end < pattern.size(); ++end) {
    const char c = pattern[end];
    if (c == '*' && !in_class) break;
    if (c == '\\' && end + 1 < pattern.size()) ++end;
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
  }
  const std::string_view chunk = pattern.substr(0, end);
  pattern.remove_prefix(end);
  return chunk;
}

bool is_chunk(std::string_view chunk) {
  while (!chunk.empty()) {
    if (chunk.front() == '[') {
      if (!take_class(chunk, 0)) return false;
      continue;
    }
    if (chunk.front() == '\\') chunk.remove_prefix(1);
    if (chunk.empty()) return false;
    chunk.remove_prefix(1);
  }
  return true;
}

// Matches `chunk`, which has no star, at the front of `name`. Returns the rest of `name`; nullopt:
// no match.
std::optional<std::string_view> match_chunk(std::string_view chunk, std::string_view name) {
  while (!chunk.empty()) {
    if (name.empty()) return std::nullopt;
    if (chunk.front() == '[') {
      if (take_class(chunk, take_rune(name)) != true) return std::nullopt;
      continue;
    }
    if (chunk.front() == '?') {
      if (name.front() == '/') return std::nullopt;
      take_rune(name);
      chunk.remove_prefix(1);
      continue;
    }
    if (chunk.front() == '\\') chunk.remove_prefix(1);
    if (chunk.front() != name.front()) return std::nullopt;
    chunk.remove_prefix(1);
    name.remove_prefix(1);
  }
  return name;
}

bool take_star(std::string_view& pattern) {
  const std::size_t stars = std::min(pattern.find_first_not_of('*'), pattern.size());
  pattern.remove_prefix(stars);
  return stars > 0;
}

// The same after a star, which takes as few characters as possible.
std::optional<std::string_view> match_behind_star(std::string_view chunk, bool is_last,
                                                  std::string_view name) {
  for (;;) {
    const auto rest = match_chunk(chunk, name);
    if (rest && (rest->empty() || !is_last)) return rest;
    if (name.empty() || name.front() == '/') return std::nullopt;
    name.remove_prefix(1);
  }
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return (static_cast<unsigned char>(c) & 0x80) == 0; });
}

char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Does not depend on the locale of the process.
std::uint32_t lower_rune(std::uint32_t rune) {
  struct FreeLocale {
    void operator()(locale_t locale) const { ::freelocale(locale); }
  };
  static const std::unique_ptr<std::remove_pointer_t<locale_t>, FreeLocale> utf8(
      ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr));
  if (utf8 == nullptr) return rune;
  return static_cast<std::uint32_t>(::towlower_l(static_cast<wint_t>(rune), utf8.get()));
}

}  // namespace

bool is_glob(std::string_view pattern) {
  while (!pattern.empty()) {
    take_star(pattern);
    if (!is_chunk(take_chunk(pattern))) return false;
  }
  return true;
}

bool glob_matches(std::string_view pattern, std::string_view name) {
  while (!pattern.empty()) {
    const bool star = take_star(pattern);
    const std::string_view chunk = take_chunk(pattern);
    if (star && chunk.empty()) return name.find('/') == std::string_view::npos;
    const auto rest =
        star ? match_behind_star(chunk, pattern.empty(), name) : match_chunk(chunk, name);
    if (!rest) return false;
    name = *rest;
  }
  return name.empty();
}

std::string to_lower(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  if (is_ascii(text)) {
    std::ranges::transform(text, std::back_inserter(lower), lower_ascii);
    return lower;
  }
  while (!text.empty()) append_utf8(lower_rune(take_rune(text)), lower);
  return lower;
}

}  // namespace restree
