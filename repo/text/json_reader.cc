#include "repo/text/json_reader.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "repo/text/utf8.h"

namespace restree::json {
namespace {

bool is_high_surrogate(std::uint32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low_surrogate(std::uint32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

// The four hexadecimal digits of \uXXXX.
std::uint32_t code_unit(std::string_view digits) {
  std::uint32_t unit = 0;
  if (digits.size() < 4) throw BadValue("an escape is cut short");
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + 4, unit, 16);
  if (error != std::errc() || end != digits.data() + 4) throw BadValue("a bad \\u escape");
  return unit;
}

// Resolves the \u escape, or the pair of them, whose digits start `text`; how many bytes it took.
std::size_t append_unicode_escape(std::string_view text, std::string& out) {
  const std::uint32_t first = code_unit(text);
  if (is_high_surrogate(first) && text.substr(4, 2) == "\\u") {
    const std::uint32_t second = code_unit(text.substr(6));
    if (is_low_surrogate(second)) {
      append_utf8(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), out);
      return 10;
    }
  }
  if (!append_utf8(first, out)) append_utf8(kReplacementRune, out);  // half a pair
  return 4;
}

char simple_escape(char letter) {
  switch (letter) {
    case '"':
    case '\\':
    case '/':
      return letter;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      throw BadValue("an unknown escape");
  }
}

// --- Strings, eight bytes at a time --------------------------------------------------------------

constexpr std::uint64_t kEach = 0x0101010101010101;
constexpr std::uint64_t kHighBits = kEach * 0x80;

// The high bit of each byte of `word` that is less than `limit` (at most 0x80). Bits above the lowest
// one may be wrong, because of what was carried over.
std::uint64_t less_than(std::uint64_t word, std::uint8_t limit) {
  return (word - kEach * limit) & ~word & kHighBits;
}
std::uint64_t equal_to(std::uint64_t word, char c) {
  return less_than(word ^ (kEach * static_cast<std::uint8_t>(c)), 1);
}

// The first byte from `at` on that is not just a part of a string: its end, an escape, a control
// character, or the beginning of a character that is not ASCII.
const char* find_special(const char* at, const char* end) {
  while (end - at >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    // The first character has to be the lowest byte, above which bits may be wrong.
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    const std::uint64_t special =
        equal_to(word, '"') | equal_to(word, '\\') | less_than(word, 0x20) | (word & kHighBits);
    if (special != 0) return at + std::countr_zero(special) / 8;
    at += 8;
  }
  const auto is_plain = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
  };
  while (at != end && is_plain(*at)) ++at;
  return at;
}

bool ends_word(char c) {
  return c == ',' || c == ']' || c == '}' || c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

}  // namespace

void append_unescaped(std::string_view inside, std::string& out) {
  for (;;) {
    const std::size_t plain = std::min(inside.find('\\'), inside.size());
    out += inside.substr(0, plain);
    inside.remove_prefix(plain);
    if (inside.empty()) return;
    if (inside.size() < 2) throw BadValue("an escape is cut short");
    const char letter = inside[1];
    inside.remove_prefix(2);
    if (letter == 'u') {
      inside.remove_prefix(append_unicode_escape(inside, out));
    } else {
      out += simple_escape(letter);
    }
  }
}

std::uint64_t Value::to_u64() const {
  if (is_null()) return 0;
  std::uint64_t number = 0;
  const char* const end = token_.data() + token_.size();
  const auto [stop, error] = std::from_chars(token_.data(), end, number);
  if (error != std::errc() || stop != end) throw BadValue("not an unsigned 64-bit integer");
  if (token_.size() > 1 && token_.front() == '0') throw BadValue("a number starts with 0");
  return number;
}

std::uint32_t Value::to_u32() const {
  const std::uint64_t number = to_u64();
  if (number > std::numeric_limits<std::uint32_t>::max()) {
    throw BadValue("a number exceeds 32 bits");
  }
  return static_cast<std::uint32_t>(number);
}

std::string Value::to_text() const {
  std::string text;
  if (!is_null()) append_unescaped(quoted(), text);
  return text;
}

std::vector<std::string> Value::to_texts() {
  std::vector<std::string> texts;
  each_element([&](Value element) { texts.push_back(element.to_text()); });
  return texts;
}

std::string Value::to_bytes() const {
  if (is_null()) return {};
  const std::string_view inside = quoted();
  std::optional<std::string> bytes;
  if (inside.find('\\') == std::string_view::npos) {
    bytes = from_base64(inside);
  } else {
    bytes = from_base64(to_text());  // some writers escape '/'
  }
  if (!bytes) throw BadValue("not base64");
  return std::move(*bytes);
}

std::string_view Place::pass_string() {
  const char* const begin = at_;
  const char* at = begin + 1;
  while (true) {
    at = find_special(at, end_);
    if (at == end_) throw BadJson("a string has no end");
    if (*at == '"') break;
    if (*at == '\\') {
      if (end_ - at < 2) throw BadJson("a string has no end");
      at += 2;
    } else if (static_cast<unsigned char>(*at) < 0x20) {
      throw BadJson("a control character in a string");
    } else {
      const std::size_t length = decode_utf8({at, static_cast<std::size_t>(end_ - at)}).length;
      if (length == 0) throw BadJson("a string that is not UTF-8");
      at += length;
    }
  }
  at_ = at + 1;
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

std::string_view Place::pass_word() {
  const char* const begin = at_;
  while (at_ != end_ && !ends_word(*at_)) {
    const char c = *at_;
    const bool belongs = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' ||
                         c == '.' || c == 'E';
    if (!belongs) throw BadJson("a value is neither quoted nor a number");
    ++at_;
  }
  if (at_ == begin) throw BadJson("a value is missing");
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

void Place::pass_to(std::size_t depth) {
  while (open_.size() > depth) {
    const char c = next();
    switch (c) {
      case '{':
      case '[':
        enter(c, "");
        break;
      case '}':
      case ']':
        leave("brackets that do not match");
        break;
      case '"':
        pass_string();
        break;
      case ',':
      case ':':
        ++at_;
        break;
      case '\0':
        throw BadJson("a bracket is not closed");
      default:
        pass_word();
    }
  }
}

}  // namespace restree::json
