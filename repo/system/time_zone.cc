#include "repo/system/time_zone.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <span>

#include "repo/base/unique_fd.h"
#include "repo/system/file_io.h"

namespace restree {
namespace {

// Nothing if it is not a regular file: a stream over a folder, such as TZ=Europe or the
// /etc/localtime that Docker makes for a missing one, throws, and one over a FIFO waits.
std::optional<std::string> file_content(const std::string& path) {
  constexpr std::size_t kMost = 1 << 20;  // the largest zones have some KiB
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat attributes {};
  if (!fd || ::fstat(fd.get(), &attributes) != 0 || !S_ISREG(attributes.st_mode)) {
    return std::nullopt;
  }
  std::string content(std::min(static_cast<std::size_t>(attributes.st_size), kMost), '\0');
  const ReadCount count = read_at(fd.get(), 0, std::as_writable_bytes(std::span(content)));
  content.resize(count.bytes);
  if (count.error != 0 || content.empty()) return std::nullopt;
  return content;
}

}  // namespace

// Parses a TZif file. A step returns false if the file is cut short or contradicts the format.
class TzifReader {
 public:
  explicit TzifReader(ByteView file) : rest_(file) {}

  std::optional<TimeZone> read() {
    Header header;
    if (!read_header(header)) return std::nullopt;
    std::size_t time_bytes = 4;
    if (header.version >= '2') {  // the same again, in 64 bits, behind the old block
      if (!skip(block_bytes(header, 4)) || !read_header(header)) return std::nullopt;
      time_bytes = 8;
    }
    TimeZone zone;
    if (!read_block(header, time_bytes, zone)) return std::nullopt;
    if (time_bytes == 8) read_footer(zone);
    return zone;
  }

 private:
  struct Header {
    char version = 0;
    std::uint32_t utc_flags = 0;
    std::uint32_t standard_flags = 0;
    std::uint32_t leap_seconds = 0;
    std::uint32_t transitions = 0;
    std::uint32_t kinds = 0;
    std::uint32_t name_bytes = 0;
  };

  static std::size_t block_bytes(const Header& header, std::size_t time_bytes) {
    return header.transitions * (time_bytes + 1) + std::size_t{header.kinds} * 6 +
           header.name_bytes + header.leap_seconds * (time_bytes + 4) + header.standard_flags +
           header.utc_flags;
  }

  bool skip(std::size_t count) {
    if (count > rest_.size()) return false;
    rest_ = rest_.subspan(count);
    return true;
  }

  static std::uint64_t big_endian(ByteView bytes) {
    std::uint64_t value = 0;
    for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
    return value;
  }

  bool read_header(Header& header) {
    constexpr std::size_t kBytes = 44;
    if (rest_.size() < kBytes || as_text(rest_.first(4)) != "TZif") return false;
    header.version = as_text(rest_)[4];
    std::size_t at = 20;
    for (std::uint32_t* field : {&header.utc_flags, &header.standard_flags, &header.leap_seconds,
                                 &header.transitions, &header.kinds, &header.name_bytes}) {
      *field = static_cast<std::uint32_t>(big_endian(rest_.subspan(at, 4)));
      at += 4;
    }
    return skip(kBytes);
  }

  bool read_block(const Header& header, std::size_t time_bytes, TimeZone& zone) {
    if (block_bytes(header, time_bytes) > rest_.size() || header.kinds == 0) return false;
    const ByteView times = rest_.first(header.transitions * time_bytes);
    const ByteView which = rest_.subspan(times.size(), header.transitions);
    const ByteView kinds =
        rest_.subspan(times.size() + which.size(), std::size_t{header.kinds} * 6);
    for (std::size_t i = 0; i < header.kinds; ++i) {
      const auto offset = static_cast<std::int32_t>(big_endian(kinds.subspan(i * 6, 4)));
      zone.kinds_.push_back({offset, kinds[i * 6 + 4] != std::byte{0}});
    }
    for (std::size_t i = 0; i < header.transitions; ++i) {
      const std::uint64_t raw = big_endian(times.subspan(i * time_bytes, time_bytes));
      const std::int64_t at =
          time_bytes == 4 ? static_cast<std::int32_t>(raw) : static_cast<std::int64_t>(raw);
      const auto kind = std::to_integer<std::uint8_t>(which[i]);
      if (kind >= header.kinds) return false;
      if (i > 0 && at <= zone.transitions_.back().at) return false;
      zone.transitions_.push_back({at, kind});
    }
    return skip(block_bytes(header, time_bytes));
  }

  // "\nCET-1CEST,M3.5.0,M10.5.0/3\n"
  void read_footer(TimeZone& zone) const {
    const std::string_view footer = as_text(rest_);
    if (footer.size() < 2 || footer.front() != '\n') return;
    const std::size_t end = footer.find('\n', 1);
    if (end != std::string_view::npos)
      zone.afterwards_ = ZoneRule::parse(footer.substr(1, end - 1));
  }

  ByteView rest_;
};

TimeZone TimeZone::parse(ByteView tzif) { return TzifReader(tzif).read().value_or(TimeZone()); }

TimeZone TimeZone::named(const std::optional<std::string>& tz) {
  std::vector<std::string> candidates;
  if (!tz) {
    candidates = {"/etc/localtime"};
  } else {
    const std::string name = tz->starts_with(':') ? tz->substr(1) : *tz;
    if (name.empty() || name == "UTC") return {};
    if (name.front() == '/') {
      candidates = {name};
    } else {
      for (const char* folder : {"/usr/share/zoneinfo/", "/usr/share/lib/zoneinfo/",
                                 "/usr/lib/locale/TZ/", "/etc/zoneinfo/"}) {
        candidates.push_back(folder + name);
      }
    }
  }
  for (const std::string& path : candidates) {
    if (const auto content = file_content(path)) return parse(as_bytes(*content));
  }
  return {};
}

const TimeZone& TimeZone::local() {
  static const TimeZone zone = [] {
    const char* const tz = std::getenv("TZ");
    return named(tz == nullptr ? std::nullopt : std::optional<std::string>(tz));
  }();
  return zone;
}

// The first standard time, as a rule the town's mean solar time.
std::int32_t TimeZone::offset_before_all() const {
  const bool first_is_used = std::ranges::any_of(
      transitions_, [](const Transition& transition) { return transition.kind == 0; });
  if (!first_is_used) return kinds_.front().offset;
  if (!transitions_.empty() && kinds_[transitions_.front().kind].is_daylight_saving) {
    for (std::size_t kind = transitions_.front().kind; kind-- > 0;) {
      if (!kinds_[kind].is_daylight_saving) return kinds_[kind].offset;
    }
  }
  const auto standard = std::ranges::find(kinds_, false, &Kind::is_daylight_saving);
  return standard == kinds_.end() ? kinds_.front().offset : standard->offset;
}

std::int32_t TimeZone::offset_at(std::int64_t seconds) const {
  if (kinds_.empty()) return 0;
  const auto next = std::ranges::upper_bound(transitions_, seconds, {}, &Transition::at);
  if (next == transitions_.end() && afterwards_) return afterwards_->offset_at(seconds);
  if (next == transitions_.begin()) return offset_before_all();
  return kinds_[std::prev(next)->kind].offset;
}

std::int64_t TimeZone::to_utc(std::int64_t clock_seconds) const {
  const std::int64_t guess = clock_seconds - offset_at(clock_seconds);
  return clock_seconds - offset_at(guess);
}

}  // namespace restree
