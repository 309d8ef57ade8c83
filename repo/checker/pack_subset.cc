#include "repo/checker/pack_subset.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <random>
#include <tuple>

#include "repo/base/restic_words.h"

namespace restree {
namespace {

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

constexpr std::uint32_t kMostGroups = 256;

Error bad_subset(std::string_view why) {
  return Error(ErrorKind::kInvalid, std::string(why))
      .hinting(
          "It takes n/t (group n of t), a percentage like 2.5%, a size like 500M, or oldest:5G or "
          "oldest:1h for the packs that were not read for longest.");
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  constexpr std::string_view kUnits = "kmgt";
  int shift = 0;
  if (!text.empty()) {
    const auto unit = kUnits.find(static_cast<char>(text.back() | 0x20));
    if (unit != std::string_view::npos) {
      shift = 10 * (static_cast<int>(unit) + 1);
      text.remove_suffix(1);
    } else if ((text.back() | 0x20) == 'b') {
      text.remove_suffix(1);
    }
  }
  const auto number = parse_number<std::uint64_t>(text);
  if (!number || *number > (UINT64_MAX >> shift)) return std::nullopt;
  return *number << shift;
}

// A part of the packs, drawn by lot: at least one, if there are any.
void draw(std::vector<PackToRead>& packs, double part, std::uint64_t seed) {
  if (part >= 1.0 || packs.empty()) return;
  std::mt19937_64 random(seed);
  std::shuffle(packs.begin(), packs.end(), random);
  const auto count = static_cast<std::size_t>(static_cast<double>(packs.size()) * part);
  packs.resize(std::max<std::size_t>(1, count));
}

// Those never read come first.
void sort_by_age(std::vector<PackToRead>& packs) {
  std::ranges::sort(packs, [](const PackToRead& a, const PackToRead& b) {
    return std::tie(a.last_read, a.id) < std::tie(b.last_read, b.id);
  });
}

// The first packs, as many as are no larger than `bytes` together, but one at least.
void cut_to(std::vector<PackToRead>& packs, std::uint64_t bytes) {
  std::uint64_t sum = 0;
  const auto first_left = std::ranges::find_if(packs, [&](const PackToRead& pack) {
    sum += pack.size_bytes;
    return sum > bytes;
  });
  const auto count = static_cast<std::size_t>(first_left - packs.begin());
  if (count < packs.size()) packs.resize(std::max<std::size_t>(1, count));
}

}  // namespace

Result<PackSubset> PackSubset::parse(std::string_view text) {
  PackSubset subset;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const auto group = parse_number<std::uint32_t>(text.substr(0, slash));
    const auto groups = parse_number<std::uint32_t>(text.substr(slash + 1));
    if (!group || !groups) return bad_subset(restic_words::kBadSubset.text);
    if (*group == 0 || *group > *groups) return bad_subset(restic_words::kBadSubsetGroup.text);
    if (*groups > kMostGroups) {
      return bad_subset(fmt::format(restic_words::kTooManySubsets.text, kMostGroups));
    }
    subset.kind = Kind::kGroup;
    subset.group = *group;
    subset.groups = *groups;
    return subset;
  }
  if (text.ends_with('%')) {
    const auto percent = parse_number<double>(text.substr(0, text.size() - 1));
    if (!percent || !(*percent > 0.0) || *percent > 100.0) {
      return bad_subset(restic_words::kBadSubsetPercentage.text);
    }
    subset.kind = Kind::kPercent;
    subset.percent = *percent;
    return subset;
  }
  const bool is_oldest = text.starts_with(kOldest);
  if (is_oldest) text.remove_prefix(kOldest.size());
  const auto bytes = parse_bytes(text);
  if (!bytes || *bytes == 0) return bad_subset(restic_words::kBadSubset.text);
  subset.kind = is_oldest ? Kind::kOldestBytes : Kind::kBytes;
  subset.bytes = *bytes;
  return subset;
}

std::vector<PackToRead> choose_packs(const PackSubset& subset, std::vector<PackToRead> packs,
                                     std::uint64_t seed) {
  using Kind = PackSubset::Kind;
  if (subset.kind == Kind::kGroup) {
    std::erase_if(packs, [&](const PackToRead& pack) {
      return std::to_integer<std::uint32_t>(pack.id.bytes[0]) % subset.groups != subset.group - 1;
    });
  }
  if (subset.kind == Kind::kPercent) draw(packs, subset.percent / 100.0, seed);
  if (subset.kind == Kind::kBytes) {
    std::uint64_t all = 0;
    for (const PackToRead& pack : packs) all += pack.size_bytes;
    if (all > subset.bytes) {
      draw(packs, static_cast<double>(subset.bytes) / static_cast<double>(all), seed);
    }
  }
  if (subset.is_by_age()) sort_by_age(packs);
  if (subset.kind == Kind::kOldestBytes) cut_to(packs, subset.bytes);
  return packs;
}

}  // namespace restree
