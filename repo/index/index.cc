#include "repo/index/index.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "repo/base/guarded.h"
#include "repo/base/thread_pool.h"
#include "repo/crypto/seal.h"
#include "repo/index/id_order.h"

namespace restree {
namespace {

constexpr std::uint32_t kTreeBit = IndexEntry::kTreeBit;
// The entries of a bucket, as a power of two: so many share the four bytes of its table entry.
constexpr unsigned kBucketEntriesBits = 3;

constexpr std::size_t kRadix = 256;
using RadixCounts = std::array<std::size_t, kRadix + 1>;

std::uint32_t type_bit(BlobType type) { return type == BlobType::kTree ? kTreeBit : 0; }

// By id, then type; the other members only bring equal entries together.
bool entry_before(const IndexEntry& a, const IndexEntry& b) {
  if (const int order = compare_ids(a.id, b.id); order != 0) return order < 0;
  return std::tie(a.pack_and_type, a.offset, a.length, a.raw_length) <
         std::tie(b.pack_and_type, b.offset, b.length, b.raw_length);
}

std::size_t first_byte(const IndexEntry& entry) {
  return std::to_integer<std::size_t>(entry.id.bytes.front());
}

// Sorts the entries, in place, by their first byte; returns where those of each byte begin, and the
// end.
RadixCounts partition_by_first_byte(std::span<IndexEntry> entries) {
  RadixCounts begins{};
  for (const IndexEntry& entry : entries) ++begins[first_byte(entry) + 1];
  for (std::size_t i = 0; i < kRadix; ++i) begins[i + 1] += begins[i];
  RadixCounts next = begins;
  for (std::size_t run = 0; run < kRadix; ++run) {
    while (next[run] < begins[run + 1]) {
      IndexEntry& entry = entries[next[run]];
      const std::size_t home = first_byte(entry);
      if (home == run) {
        ++next[run];
      } else {
        std::swap(entry, entries[next[home]++]);
      }
    }
  }
  return begins;
}

void sort_entries(std::span<IndexEntry> entries, std::size_t threads) {
  const RadixCounts begins = partition_by_first_byte(entries);
  const Status sorted = parallel_for(kRadix, threads, [&](std::size_t run) -> Status {
    std::ranges::sort(entries.subspan(begins[run], begins[run + 1] - begins[run]), entry_before);
    return {};
  });
  assert(sorted.has_value());
  static_cast<void>(sorted);
}

std::size_t bucket_of(const BlobId& id, unsigned bits) {
  return bits == 0 ? 0 : static_cast<std::size_t>(sort_prefix(id) >> (64 - bits));
}

// Where the entries of each bucket begin, and the end.
std::vector<std::uint32_t> find_bucket_begins(std::span<const IndexEntry> entries, unsigned bits) {
  std::vector<std::uint32_t> begins((std::size_t{1} << bits) + 1);
  std::size_t bucket = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::size_t own = bucket_of(entries[i].id, bits);
    while (bucket < own) begins[++bucket] = static_cast<std::uint32_t>(i);
  }
  while (bucket + 1 < begins.size()) begins[++bucket] = static_cast<std::uint32_t>(entries.size());
  return begins;
}

}  // namespace

std::uint32_t BlobLocation::blob_bytes() const {
  return raw_length != 0 ? raw_length : length - static_cast<std::uint32_t>(kSealOverheadBytes);
}

std::optional<std::size_t> Index::position(BlobType type, const BlobId& id) const {
  const auto found = matching(type, id);
  if (found.empty()) return std::nullopt;
  return static_cast<std::size_t>(found.data() - entries_.view().data());
}

std::optional<BlobLocation> Index::find(BlobType type, const BlobId& id) const {
  const auto entries = matching(type, id);
  if (entries.empty()) return std::nullopt;
  return location(entries.front());
}

std::vector<BlobLocation> Index::find_all(BlobType type, const BlobId& id) const {
  std::vector<BlobLocation> locations;
  for (const IndexEntry& entry : matching(type, id)) locations.push_back(location(entry));
  return locations;
}

std::size_t Index::memory_bytes() const {
  return sizeof(Index) + entries_.size() * sizeof(IndexEntry) +
         bucket_begins_.capacity() * sizeof(std::uint32_t) + packs_.capacity() * sizeof(PackId) +
         pack_ends_.capacity() * sizeof(std::uint32_t);
}

std::span<const IndexEntry> Index::matching(BlobType type, const BlobId& id) const {
  if (entries_.size() == 0) return {};
  const std::size_t bucket = bucket_of(id, bucket_bits_);
  const auto entries = entries_.view();
  const auto bucket_end = entries.begin() + bucket_begins_[bucket + 1];
  // A tree sorts behind a data blob of the same id.
  const auto before = [&](const IndexEntry& entry, std::uint32_t wanted_type) {
    const int order = compare_ids(entry.id, id);
    return order != 0 ? order < 0 : (entry.pack_and_type & kTreeBit) < wanted_type;
  };
  const auto begin = std::lower_bound(entries.begin() + bucket_begins_[bucket], bucket_end,
                                      type_bit(type), before);
  const auto end = std::find_if_not(begin, bucket_end, [&](const IndexEntry& entry) {
    return entry.id == id && (entry.pack_and_type & kTreeBit) == type_bit(type);
  });
  return {begin, end};
}

BlobLocation Index::location(const IndexEntry& entry) const {
  const std::uint32_t pack = entry.pack_number();
  return {packs_[pack], entry.offset, entry.length, entry.raw_length, pack_ends_[pack]};
}

struct IndexBuilder::State {
  struct Gathered {
    IndexEntries entries;
    std::vector<PackId> packs;
    std::unordered_map<PackId, std::uint32_t> pack_numbers;
  };
  static std::uint32_t number_of(const PackId& pack, Gathered& gathered);

  // One lock for all: copying a pack's entries takes microseconds, parsing them far longer.
  Guarded<Gathered> gathered;
};

std::uint32_t IndexBuilder::State::number_of(const PackId& pack, Gathered& gathered) {
  const auto next_number = static_cast<std::uint32_t>(gathered.packs.size());
  const auto [known, is_new] = gathered.pack_numbers.try_emplace(pack, next_number);
  if (is_new) gathered.packs.push_back(pack);
  assert(known->second < kTreeBit);
  return known->second;
}

IndexBuilder::IndexBuilder() : state_(std::make_unique<State>()) {}
IndexBuilder::~IndexBuilder() = default;

void IndexBuilder::add(const PackId& pack, std::span<const IndexedBlob> blobs) {
  if (blobs.empty()) return;
  auto gathered = state_->gathered.lock();
  const std::uint32_t number = State::number_of(pack, *gathered);
  auto entry = gathered->entries.grow(blobs.size()).begin();
  for (const IndexedBlob& blob : blobs) {
    *entry++ = {blob.id, number | type_bit(blob.type), blob.offset, blob.length, blob.raw_length};
  }
}

void IndexBuilder::add(const Index& index) {
  if (index.blob_count() == 0) return;
  auto gathered = state_->gathered.lock();
  std::vector<std::uint32_t> numbers;
  numbers.reserve(index.pack_count());
  for (const PackId& pack : index.packs()) numbers.push_back(State::number_of(pack, *gathered));
  auto into = gathered->entries.grow(index.blob_count()).begin();
  for (IndexEntry entry : index.entries()) {
    entry.pack_and_type = numbers[entry.pack_number()] | type_bit(entry.type());
    *into++ = entry;
  }
}

std::shared_ptr<const Index> IndexBuilder::build(std::size_t threads) && {
  std::shared_ptr<Index> index(new Index());
  {
    auto gathered = state_->gathered.lock();
    index->entries_ = std::move(gathered->entries);
    index->packs_ = std::move(gathered->packs);
  }
  state_.reset();
  index->packs_.shrink_to_fit();
  sort_entries(index->entries_.view(), threads);
  const auto entries = index->entries_.view();
  const auto end = std::unique(entries.begin(), entries.end());
  index->entries_.shrink_to(static_cast<std::size_t>(end - entries.begin()));
  const auto width = static_cast<unsigned>(std::bit_width(index->entries_.size()));
  index->bucket_bits_ = width > kBucketEntriesBits ? width - kBucketEntriesBits : 0;
  index->bucket_begins_ = find_bucket_begins(index->entries_.view(), index->bucket_bits_);
  index->pack_ends_.resize(index->packs_.size());
  for (const IndexEntry& entry : index->entries_.view()) {
    index->sealed_bytes_ += entry.length;
    std::uint32_t& pack_end = index->pack_ends_[entry.pack_number()];
    pack_end = std::max(pack_end, entry.offset + entry.length);
  }
  return index;
}

}  // namespace restree
