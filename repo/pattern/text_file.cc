#include "repo/pattern/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>

#include "repo/base/unique_fd.h"
#include "repo/text/utf8.h"

namespace restree {
namespace {

Result<std::string> read_all(int fd, std::string_view name) {
  std::string content;
  std::array<char, std::size_t{64} << 10> buffer;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return content;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error(errno, fmt::format("read {}", name));
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

// Converts UTF-16 without its byte order mark to UTF-8. Half of a surrogate pair becomes U+FFFD.
std::string from_utf16(std::string_view bytes, bool big_endian) {
  const auto unit_at = [&](std::size_t at) {
    const auto first = static_cast<unsigned char>(bytes[at]);
    const auto second = static_cast<unsigned char>(bytes[at + 1]);
    return static_cast<std::uint32_t>(big_endian ? first << 8 | second : second << 8 | first);
  };
  std::string text;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    std::uint32_t rune = unit_at(at);
    if (rune >= 0xd800 && rune < 0xdc00 && at + 3 < bytes.size()) {
      const std::uint32_t low = unit_at(at + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        rune = 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00);
        at += 2;
      }
    }
    if (!append_utf8(rune, text)) append_utf8(kReplacementRune, text);
  }
  if (bytes.size() % 2 != 0) append_utf8(kReplacementRune, text);
  return text;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool is_space(std::uint32_t rune) {
  const bool ascii = rune == ' ' || (rune >= '\t' && rune <= '\r');
  const bool wide = rune >= 0x2000 && rune <= 0x200a;
  constexpr std::array<std::uint32_t, 8> kOthers = {0x85,   0xa0,   0x1680, 0x2028,
                                                    0x2029, 0x202f, 0x205f, 0x3000};
  return ascii || wide || std::ranges::find(kOthers, rune) != kOthers.end();
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return errno_error(errno, fmt::format("open {}", path));
  return read_all(file.get(), path);
}

Result<std::string> read_standard_input() { return read_all(STDIN_FILENO, "standard input"); }

std::vector<std::string> text_lines(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) return split_lines(bytes.substr(3));
  if (bytes.starts_with("\xfe\xff")) return split_lines(from_utf16(bytes.substr(2), true));
  if (bytes.starts_with("\xff\xfe")) return split_lines(from_utf16(bytes.substr(2), false));
  return split_lines(bytes);
}

Result<std::vector<std::string>> read_text_lines(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, read_whole_file(path));
  return text_lines(bytes);
}

std::string_view trimmed(std::string_view text) {
  for (DecodedRune rune = decode_utf8(text); rune.length > 0 && is_space(rune.rune);
       rune = decode_utf8(text)) {
    text.remove_prefix(rune.length);
  }
  for (bool again = true; again;) {
    again = false;
    for (std::size_t length = 1; length <= std::min<std::size_t>(3, text.size()); ++length) {
      const DecodedRune rune = decode_utf8(text.substr(text.size() - length));
      if (rune.length != length || !is_space(rune.rune)) continue;
      text.remove_suffix(length);
      again = true;
      break;
    }
  }
  return text;
}

}  // namespace restree
