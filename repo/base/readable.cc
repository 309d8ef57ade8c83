#include "repo/base/readable.h"

#include <fmt/core.h>

#include "repo/base/log.h"

namespace restree {
namespace {

// The length of the UTF-8 sequence that starts `text`, or 0 if there is none.
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // C1 control characters drive terminals as well.
  if (lead == 0xc2 && byte(1) < 0xa0) return 0;
  return length;
}

}  // namespace

std::string escaped(std::string_view text, std::string_view kept, std::string_view more) {
  std::string shown;
  shown.reserve(text.size() + 2);
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    const char first = text.front();
    const auto byte = static_cast<unsigned char>(first);
    const bool is_control = (byte < 0x20 || byte == 0x7f) && kept.find(first) == kept.npos;
    if (length == 0 || is_control || more.find(first) != more.npos) {
      shown += fmt::format("\\x{:02x}", byte);
      text.remove_prefix(1);
    } else {
      shown += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return shown;
}

std::string readable(std::string_view name) {
  return escaped(name, "", "").size() == name.size() ? std::string(name) : log::quoted(name);
}

std::string for_terminal(std::string_view text) { return escaped(text, "\n\t", ""); }

std::string without_password(std::string_view location) {
  const std::size_t slashes = location.find("//");
  const std::size_t at = location.rfind('@');
  if (slashes == std::string_view::npos || at == std::string_view::npos) {
    return std::string(location);
  }
  // A password may hold any character, also those that end a host: all up to the last '@' is hidden.
  const std::size_t colon = location.find(':', slashes);
  if (colon == std::string_view::npos || colon > at) return std::string(location);
  return std::string(location.substr(0, colon + 1)) + "***" + std::string(location.substr(at));
}

}  // namespace restree
