#include "repo/checker/read_times.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "repo/storage/private_file.h"

namespace restree {
namespace {

constexpr std::string_view kHead = "restree packs read 1\n";
constexpr std::size_t kIdDigits = 64;
// Those of ten million packs.
constexpr std::uint64_t kMostFileBytes = std::uint64_t{1} << 30;

// Takes a line off `rest`; false if it is not one of a pack.
bool take_line(std::string_view& rest, ReadTimes& times) {
  const auto id = PackId::parse(rest.substr(0, kIdDigits));
  const std::size_t line = rest.find('\n');
  if (!id || line == std::string_view::npos || rest[kIdDigits] != ' ') return false;
  std::int64_t seconds = 0;
  const auto [end, error] =
      std::from_chars(rest.data() + kIdDigits + 1, rest.data() + line, seconds);
  if (error != std::errc() || end != rest.data() + line) return false;
  times[*id] = seconds;
  rest.remove_prefix(line + 1);
  return true;
}

}  // namespace

Result<ReadTimes> load_read_times(const std::string& path) {
  const Result<std::string> content = read_private_file(path, kMostFileBytes);
  if (!content && content.error().kind() == ErrorKind::kNotFound) return ReadTimes();
  RETURN_IF_ERROR(content);
  ReadTimes times;
  std::string_view rest = *content;
  bool is_whole = rest.starts_with(kHead);
  if (is_whole) rest.remove_prefix(kHead.size());
  while (is_whole && !rest.empty()) is_whole = take_line(rest, times);
  if (!is_whole) return Error(ErrorKind::kCorrupt, path + " is damaged");
  return times;
}

Status save_read_times(const std::string& path, const ReadTimes& times) {
  std::string content(kHead);
  for (const auto& [pack, seconds] : times) {
    content += pack.hex() + " " + std::to_string(seconds) + "\n";
  }
  return write_private_file(path, as_bytes(content));
}

ReadAges ages_of(const std::vector<PackId>& packs, const ReadTimes& times) {
  ReadAges ages{.packs = packs.size(), .never_read = 0, .oldest = std::nullopt};
  for (const PackId& pack : packs) {
    const auto found = times.find(pack);
    if (found == times.end()) {
      ++ages.never_read;
    } else {
      ages.oldest = std::min(ages.oldest.value_or(found->second), found->second);
    }
  }
  return ages;
}

}  // namespace restree
