#include "repo/format/json_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "repo/crypto/secret.h"
#include "repo/format/utf8.h"

namespace restree::json {
namespace {

// Trees and snapshots stay far below; one large index would otherwise hold on to its size in every
// thread that ever read one.
constexpr std::size_t kKeptBytes = std::size_t{1} << 20;

bool is_high_surrogate(std::uint32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low_surrogate(std::uint32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

// The four hexadecimal digits of \uXXXX.
std::uint32_t code_unit(std::string_view digits) {
  std::uint32_t unit = 0;
  if (digits.size() < 4) throw BadJson("an escape is cut short");
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + 4, unit, 16);
  if (error != std::errc() || end != digits.data() + 4) throw BadJson("a bad \\u escape");
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
      throw BadJson("an unknown escape");
  }
}

std::unique_ptr<Workspace>& spare() {
  thread_local std::unique_ptr<Workspace> workspace;
  return workspace;
}

}  // namespace

void append_unescaped(std::string_view inside, std::string& out) {
  for (;;) {
    const std::size_t plain = std::min(inside.find('\\'), inside.size());
    out += inside.substr(0, plain);
    inside.remove_prefix(plain);
    if (inside.empty()) return;
    if (inside.size() < 2) throw BadJson("an escape is cut short");
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
  if (error != std::errc() || stop != end) throw BadJson("not an unsigned 64-bit integer");
  if (token_.size() > 1 && token_.front() == '0') throw BadJson("a number starts with 0");
  return number;
}

std::uint32_t Value::to_u32() const {
  const std::uint64_t number = to_u64();
  if (number > std::numeric_limits<std::uint32_t>::max()) {
    throw BadJson("a number exceeds 32 bits");
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
  if (!bytes) throw BadJson("not base64");
  return std::move(*bytes);
}

std::unique_ptr<Workspace> Workspace::take() {
  auto mine = std::move(spare());
  return mine != nullptr ? std::move(mine) : std::make_unique<Workspace>();
}

void Workspace::give_back(std::unique_ptr<Workspace> workspace) {
  if (workspace->padded_.size() <= kKeptBytes) spare() = std::move(workspace);
}

simdjson::ondemand::document Workspace::start(ByteView text) {
  if (padded_.size() < text.size() + simdjson::SIMDJSON_PADDING) {
    padded_ = Bytes(text.size() + text.size() / 4 + simdjson::SIMDJSON_PADDING);
  }
  if (!text.empty()) std::memcpy(padded_.data(), text.data(), text.size());
  std::memset(padded_.data() + text.size(), 0, simdjson::SIMDJSON_PADDING);
  simdjson::ondemand::document document;
  require(
      parser_.iterate(reinterpret_cast<const char*>(padded_.data()), text.size(), padded_.size())
          .get(document));
  return document;
}

void Workspace::wipe() { wipe_memory(padded_.view()); }

}  // namespace restree::json
