#include "repo/checker/checker.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <random>

#include "repo/base/guarded.h"
#include "repo/base/restic_words.h"
#include "repo/base/thread_pool.h"
#include "repo/checker/pack_check.h"

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
      .hinting("It takes n/t (group n of t), a percentage like 2.5%, or a size like 500M.");
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
  const auto bytes = parse_bytes(text);
  if (!bytes || *bytes == 0) return bad_subset(restic_words::kBadSubset.text);
  subset.kind = Kind::kBytes;
  subset.bytes = *bytes;
  return subset;
}

Status Checker::load_index() {
  RETURN_IF_ERROR(repository_.refresh_index(soon(), &packs_));
  auto parts = repository_.index_parts();
  if (parts.empty()) parts.push_back(IndexBuilder().build(1));
  packs_.take_index(parts.front(), listener_, findings_);
  return {};
}

Status Checker::check_packs() {
  return packs_.compare_with_storage(repository_.storage(), soon(), listener_, findings_);
}

void Checker::note_broken_snapshot(const SnapshotId& id, const Error& error) {
  findings_.damaged = true;
  findings_.broken_snapshots.insert(id);
  listener_.error("error: " + error.message());
}

void Checker::note_unchecked(const std::string& what, const Error& why) {
  ++findings_.errors;
  ++findings_.unchecked;
  listener_.error(fmt::format("error: cannot check \"{}\": {}", what, why.message()));
}

Status Checker::check_trees(const std::vector<BlobId>& roots, bool only_these) {
  only_used_packs_ = only_these;
  trees_.emplace(repository_,
                 std::shared_ptr<const Index>(repository_.index_parts().empty()
                                                  ? IndexBuilder().build(1)
                                                  : repository_.index_parts().front()),
                 only_these, listener_, findings_);
  return trees_->check(roots, bulk_);
}

std::vector<std::uint32_t> Checker::choose(const PackSubset& subset) const {
  std::vector<bool> wanted(packs_.count(), !only_used_packs_);
  if (only_used_packs_ && trees_) {
    const std::vector<bool> used = trees_->used();
    for (const auto& entry : packs_.index().entries()) {
      const auto first = packs_.index().position(entry.type(), entry.id);
      if (first && used[*first]) wanted[entry.pack_number()] = true;
    }
  }
  std::vector<std::uint32_t> numbers;
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i]) continue;
    const auto first_byte = std::to_integer<std::uint32_t>(packs_.id(i).bytes[0]);
    if (subset.kind == PackSubset::Kind::kGroup && first_byte % subset.groups != subset.group - 1) {
      continue;
    }
    bytes += packs_.size(i);
    numbers.push_back(i);
  }
  double part = 1.0;
  if (subset.kind == PackSubset::Kind::kPercent) part = subset.percent / 100.0;
  if (subset.kind == PackSubset::Kind::kBytes && bytes > subset.bytes) {
    part = static_cast<double>(subset.bytes) / static_cast<double>(bytes);
  }
  if (part < 1.0 && !numbers.empty()) {
    std::mt19937_64 random(std::random_device{}());
    std::shuffle(numbers.begin(), numbers.end(), random);
    const auto count = static_cast<std::size_t>(static_cast<double>(numbers.size()) * part);
    numbers.resize(std::max<std::size_t>(1, count));
  }
  return numbers;
}

Status Checker::read_packs(const std::vector<std::uint32_t>& numbers) {
  Mutex reporting;
  return parallel_for(numbers.size(), bulk_.threads, [&](std::size_t i) -> Status {
    if (bulk_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
    ASSIGN_OR_RETURN(const std::vector<std::string> wrong,
                     check_pack(repository_, packs_, numbers[i], soon()));
    ++packs_read_;
    if (wrong.empty()) return {};
    const PackId& pack = packs_.id(numbers[i]);
    const MutexLock lock(reporting);
    ++findings_.errors;
    findings_.damaged = true;
    findings_.broken_packs.insert(pack);
    listener_.error(fmt::format("pack {} contains {} errors: [{}]", pack.hex(), wrong.size(),
                                fmt::join(wrong, "; ")));
    return {};
  });
}

}  // namespace restree
