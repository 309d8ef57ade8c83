#include "repo/pruner/kept_marks.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "repo/crypto/seal.h"

namespace restree {
namespace {

constexpr std::string_view kMagic = "rrmarks1";
constexpr std::size_t kIdBytes = 32;
constexpr std::size_t kHeadBytes = 8 + 3 * sizeof(std::uint64_t);

template <class Use>
void each_first(const WholeIndex& index, Use use) {
  index.each_blob([&](std::span<const std::uint32_t> positions) {
    use(positions.front(), index.entry(positions.front()));
  });
}

template <class T>
std::byte* put(std::span<const T> values, std::byte* to) {
  if (!values.empty()) std::memcpy(to, values.data(), values.size_bytes());
  return to + values.size_bytes();
}

template <class T>
bool take(std::vector<T>& into, std::uint64_t count, ByteView& from) {
  if (count > from.size() / sizeof(T)) return false;
  into.resize(static_cast<std::size_t>(count));
  const std::size_t bytes = into.size() * sizeof(T);
  if (bytes > 0) std::memcpy(into.data(), from.data(), bytes);
  from = from.subspan(bytes);
  return std::ranges::is_sorted(into);
}

// Looks up values in a sorted list, and counts which of them were found.
class Found {
 public:
  explicit Found(const std::vector<std::uint64_t>& values)
      : values_(values), is_found_(values.size()) {}

  bool take(std::uint64_t value) {
    const auto at = std::ranges::lower_bound(values_, value);
    if (at == values_.end() || *at != value) return false;
    is_found_[static_cast<std::size_t>(at - values_.begin())] = true;
    return true;
  }
  bool has_all() const { return std::ranges::count(is_found_, false) == 0; }

 private:
  const std::vector<std::uint64_t>& values_;
  std::vector<bool> is_found_;
};

}  // namespace

KeptMarks collect_marks(std::vector<SnapshotId> snapshots, const std::vector<bool>& used,
                        const WholeIndex& index) {
  KeptMarks marks{.snapshots = std::move(snapshots), .data = {}, .trees = {}};
  each_first(index, [&](std::size_t position, const IndexEntry& entry) {
    if (!used[position]) return;
    (entry.type() == BlobType::kTree ? marks.trees : marks.data).push_back(entry.id.prefix64());
  });
  std::ranges::sort(marks.snapshots);
  for (auto* list : {&marks.data, &marks.trees}) {
    std::ranges::sort(*list);
    const auto repeated = std::ranges::unique(*list);
    list->erase(repeated.begin(), repeated.end());
  }
  return marks;
}

Bytes write_marks(const KeptMarks& marks) {
  static_assert(sizeof(SnapshotId) == kIdBytes);
  const std::array<std::uint64_t, 3> counts{marks.snapshots.size(), marks.data.size(),
                                            marks.trees.size()};
  Bytes bytes(kHeadBytes + kIdBytes * counts[0] + sizeof(std::uint64_t) * (counts[1] + counts[2]));
  std::byte* to = put(std::span<const char>(kMagic), bytes.data());
  to = put(std::span<const std::uint64_t>(counts), to);
  to = put(std::span<const SnapshotId>(marks.snapshots), to);
  to = put(std::span<const std::uint64_t>(marks.data), to);
  put(std::span<const std::uint64_t>(marks.trees), to);
  return bytes;
}

Result<KeptMarks> parse_marks(ByteView bytes) {
  const Error corrupt(ErrorKind::kCorrupt, "not the marks of a prune");
  if (bytes.size() < kHeadBytes || as_text(bytes.first(kMagic.size())) != kMagic) return corrupt;
  std::array<std::uint64_t, 3> counts{};
  std::memcpy(counts.data(), bytes.data() + kMagic.size(), sizeof counts);
  ByteView rest = bytes.subspan(kHeadBytes);
  KeptMarks marks;
  const bool is_whole = take(marks.snapshots, counts[0], rest) &&
                        take(marks.data, counts[1], rest) && take(marks.trees, counts[2], rest) &&
                        rest.empty();
  if (!is_whole) return corrupt;
  return marks;
}

Result<Bytes> seal_marks(const Repository& repository, const KeptMarks& marks) {
  const Bytes plain = write_marks(marks);
  Bytes sealed(plain.size() + kSealOverheadBytes);
  RETURN_IF_ERROR(repository.seal_into(plain, sealed.view()));
  return sealed;
}

Result<KeptMarks> open_marks(const Repository& repository, Bytes sealed) {
  ASSIGN_OR_RETURN(const MutableByteView plain, repository.open_sealed(sealed.view()));
  return parse_marks(plain);
}

std::optional<std::vector<bool>> apply_marks(const KeptMarks& marks, const WholeIndex& index) {
  Found data(marks.data);
  Found trees(marks.trees);
  std::vector<bool> used(index.blob_count());
  each_first(index, [&](std::size_t position, const IndexEntry& entry) {
    Found& found = entry.type() == BlobType::kTree ? trees : data;
    used[position] = found.take(entry.id.prefix64());
  });
  if (!data.has_all() || !trees.has_all()) return std::nullopt;
  return used;
}

}  // namespace restree
