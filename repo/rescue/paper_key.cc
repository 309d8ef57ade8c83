#include "repo/rescue/paper_key.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "repo/base/bytes.h"
#include "repo/crypto/sha256.h"

namespace restree {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kBitsPerDigit = 5;
constexpr std::size_t kLines = 8;
constexpr std::size_t kLineBytes = 15;
constexpr std::size_t kLineDigits = kLineBytes * 8 / kBitsPerDigit;
constexpr std::size_t kCheckDigits = 4;
constexpr std::size_t kGroup = 4;
constexpr std::size_t kHashBytes = 14;
constexpr std::size_t kHashedBytes = kLines * kLineBytes - kHashBytes;
constexpr std::byte kPaperForm{1};

constexpr std::size_t kAtVersion = 1;
constexpr std::size_t kAtId = 2;
constexpr std::size_t kAtPolynomial = kAtId + 32;
constexpr std::size_t kAtKey = kAtPolynomial + 8;
static_assert(kAtKey + SealKey::kEncryptBytes + 2 * SealKey::kMacBytes == kHashedBytes);

// All that the lines hold; wiped, for it has the key.
struct Payload {
  std::array<std::byte, kLines* kLineBytes> bytes = {};

  Payload() = default;
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;
  ~Payload() { wipe_memory(bytes); }

  std::span<std::byte> line(std::size_t number) {
    return std::span(bytes).subspan(number * kLineBytes, kLineBytes);
  }
  ByteView hashed() const { return ByteView(bytes).first(kHashedBytes); }
  ByteView hash() const { return ByteView(bytes).subspan(kHashedBytes); }
};

// `count` digits for the first bits of `bytes`.
void append_digits(ByteView bytes, std::size_t count, std::string& text) {
  for (std::size_t digit = 0; digit < count; ++digit) {
    unsigned value = 0;
    for (std::size_t bit = digit * kBitsPerDigit; bit < (digit + 1) * kBitsPerDigit; ++bit) {
      const unsigned byte = std::to_integer<unsigned>(bytes[bit / 8]);
      value = value << 1 | (byte >> (7 - bit % 8) & 1U);
    }
    text += kDigits[value];
  }
}

// Reads as many digits as `bytes` has bits for.
void read_digits(std::string_view digits, std::span<std::byte> bytes) {
  std::fill(bytes.begin(), bytes.end(), std::byte{0});
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const std::size_t value = kDigits.find(digits[bit / kBitsPerDigit]);
    const bool is_set = (value >> (kBitsPerDigit - 1 - bit % kBitsPerDigit) & 1U) != 0;
    if (is_set) bytes[bit / 8] |= std::byte{1} << (7 - bit % 8);
  }
}

// The number counts, so that lines in each other's place are found.
std::string check_digits(std::size_t number, ByteView line) {
  std::array<std::byte, 1 + kLineBytes> numbered = {};
  numbered[0] = static_cast<std::byte>(number);
  std::copy(line.begin(), line.end(), numbered.begin() + 1);
  const auto hash = sha256(numbered);
  wipe_memory(numbered);
  std::string digits;
  append_digits(hash, kCheckDigits, digits);
  return digits;
}

// '\0': it is no digit.
char digit_meant(char typed) {
  const char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(typed)));
  if (upper == 'O') return '0';
  if (upper == 'I' || upper == 'L') return '1';
  return kDigits.find(upper) == std::string_view::npos ? '\0' : upper;
}

Error wrong_line(std::size_t number, std::string_view why) {
  return Error(ErrorKind::kInvalid, fmt::format("line {} of the key {}", number + 1, why))
      .hinting("Compare it with the paper.");
}

// The line's bytes from what stands behind its number and colon.
Status read_line(std::size_t number, std::string_view typed, std::span<std::byte> line) {
  std::string digits;
  for (const char c : typed) {
    if (c == ' ' || c == '-' || c == '\t' || c == '\r') continue;
    const char digit = digit_meant(c);
    if (digit == '\0') return wrong_line(number, fmt::format("has '{}', which is no digit", c));
    digits += digit;
  }
  if (digits.size() != kLineDigits + kCheckDigits) {
    return wrong_line(number, fmt::format("has {} digits, and should have {}", digits.size(),
                                          kLineDigits + kCheckDigits));
  }
  read_digits(digits, line);
  const bool is_right = check_digits(number, line) == std::string_view(digits).substr(kLineDigits);
  wipe_memory(as_writable_bytes(std::span(digits)));
  return is_right ? Status() : wrong_line(number, "has a mistake");
}

// The number that the line begins with, counted from 0, and what stands behind its colon.
std::optional<std::pair<std::size_t, std::string_view>> numbered_line(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  line.remove_prefix(begin);
  if (line.size() < 2 || line[1] != ':' || line[0] < '1' || line[0] > '0' + int{kLines}) {
    return std::nullopt;
  }
  return std::pair(static_cast<std::size_t>(line[0] - '1'), line.substr(2));
}

Result<PaperKey> read_payload(const Payload& payload) {
  const auto hash = sha256(payload.hashed());
  if (!std::equal(payload.hash().begin(), payload.hash().end(), hash.begin())) {
    return Error(ErrorKind::kCorrupt, "the lines of the key are not from one paper");
  }
  const ByteView bytes = payload.hashed();
  if (bytes[0] != kPaperForm) {
    return Error(ErrorKind::kUnsupported, "this form of a key on paper needs a newer restree");
  }
  Config config{.version = std::to_integer<std::uint32_t>(bytes[kAtVersion]),
                .id = {},
                .chunker_polynomial = 0};
  const ByteView id = bytes.subspan(kAtId, config.id.bytes.size());
  std::copy(id.begin(), id.end(), config.id.bytes.begin());
  for (const std::byte byte : bytes.subspan(kAtPolynomial, 8)) {
    config.chunker_polynomial =
        config.chunker_polynomial << 8 | std::to_integer<std::uint64_t>(byte);
  }
  ASSIGN_OR_RETURN(SealKey master, SealKey::from_derived(bytes.subspan(kAtKey)));
  return PaperKey{config, std::move(master)};
}

}  // namespace

Result<Secret> write_paper_key(const Config& config, const SealKey& master) {
  Payload payload;
  std::span<std::byte> bytes = payload.bytes;
  bytes[0] = kPaperForm;
  bytes[kAtVersion] = static_cast<std::byte>(config.version);
  std::copy(config.id.bytes.begin(), config.id.bytes.end(), bytes.begin() + kAtId);
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[kAtPolynomial + i] = static_cast<std::byte>(config.chunker_polynomial >> (56 - 8 * i));
  }
  auto at = bytes.begin() + kAtKey;
  for (const ByteView part : {master.encrypt(), master.mac_k(), master.mac_r()}) {
    at = std::copy(part.begin(), part.end(), at);
  }
  const auto hash = sha256(payload.hashed());
  std::copy_n(hash.begin(), kHashBytes, bytes.begin() + kHashedBytes);

  std::string text;
  text.reserve(kLines * 64);  // so that no copy of it is left behind
  for (std::size_t number = 0; number < kLines; ++number) {
    std::string digits;
    digits.reserve(kLineDigits);
    append_digits(payload.line(number), kLineDigits, digits);
    text += static_cast<char>('1' + number);
    text += ':';
    for (std::size_t i = 0; i < kLineDigits; i += kGroup) {
      text += ' ';
      text += std::string_view(digits).substr(i, kGroup);
    }
    text += "  " + check_digits(number, payload.line(number)) + "\n";
    wipe_memory(as_writable_bytes(std::span(digits)));
  }
  return Secret(std::move(text));
}

Result<PaperKey> read_paper_key(std::string_view text) {
  Payload payload;
  std::array<bool, kLines> is_there = {};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto line = numbered_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line) continue;
    if (is_there[line->first]) return wrong_line(line->first, "is there twice");
    is_there[line->first] = true;
    RETURN_IF_ERROR(read_line(line->first, line->second, payload.line(line->first)));
  }
  if (std::none_of(is_there.begin(), is_there.end(), std::identity())) {
    return Error(ErrorKind::kInvalid, "it is not a rescue key: no line begins with 1:");
  }
  for (std::size_t number = 0; number < kLines; ++number) {
    if (!is_there[number]) return wrong_line(number, "is missing");
  }
  return read_payload(payload);
}

}  // namespace restree
