#include "repo/index/whole_index.h"

#include <algorithm>
#include <compare>
#include <thread>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "repo/index/id_order.h"

namespace restree {
namespace {

bool is_any_pack_shared(const IndexParts& parts) {
  if (parts.size() < 2) return false;
  std::unordered_set<PackId> seen;
  for (const auto& part : parts) {
    for (const PackId& pack : part->packs()) {
      if (!seen.insert(pack).second) return true;
    }
  }
  return false;
}

std::shared_ptr<const Index> merged(const IndexParts& parts) {
  IndexBuilder builder;
  for (const auto& part : parts) builder.add(*part);
  return std::move(builder).build(std::max(1U, std::thread::hardware_concurrency()));
}

// By id, a tree behind a data blob of the same id: as in each part.
bool is_before(const IndexEntry& a, const IndexEntry& b) {
  const int order = compare_ids(a.id, b.id);
  return order != 0 ? order < 0 : a.type() < b.type();
}

bool is_same_blob(const IndexEntry& a, const IndexEntry& b) {
  return a.id == b.id && a.type() == b.type();
}

}  // namespace

WholeIndex::WholeIndex(IndexParts parts) : parts_(std::move(parts)) {
  if (is_any_pack_shared(parts_)) parts_ = {merged(parts_)};
  begins_.push_back(0);
  for (const auto& part : parts_) {
    first_packs_.push_back(static_cast<std::uint32_t>(packs_.size()));
    packs_.insert(packs_.end(), part->packs().begin(), part->packs().end());
    begins_.push_back(begins_.back() + part->blob_count());
  }
}

IndexEntry WholeIndex::entry_of(std::size_t part, std::size_t position) const {
  IndexEntry entry = parts_[part]->entries()[position];
  entry.pack_and_type += first_packs_[part];
  return entry;
}

std::size_t WholeIndex::part_of(std::size_t position) const {
  std::size_t part = 0;
  while (position >= begins_[part + 1]) ++part;
  return part;
}

IndexEntry WholeIndex::entry(std::size_t position) const {
  const std::size_t part = part_of(position);
  return entry_of(part, position - begins_[part]);
}

const BlobId& WholeIndex::id(std::size_t position) const {
  const std::size_t part = part_of(position);
  return parts_[part]->entries()[position - begins_[part]].id;
}

std::optional<std::size_t> WholeIndex::position(BlobType type, const BlobId& id) const {
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    if (const auto found = parts_[part]->position(type, id)) return begins_[part] + *found;
  }
  return std::nullopt;
}

std::vector<BlobLocation> WholeIndex::find_all(BlobType type, const BlobId& id) const {
  std::vector<BlobLocation> places;
  for (const auto& part : parts_) {
    const std::vector<BlobLocation> more = part->find_all(type, id);
    places.insert(places.end(), more.begin(), more.end());
  }
  return places;
}

void WholeIndex::each_entry(
    const std::function<void(std::size_t position, const IndexEntry&)>& use) const {
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    for (std::size_t i = 0; i < parts_[part]->blob_count(); ++i) {
      use(begins_[part] + i, entry_of(part, i));
    }
  }
}

// Merges the sorted parts as it goes.
void WholeIndex::each_blob(
    const std::function<void(std::span<const std::uint32_t> positions)>& use) const {
  std::vector<std::span<const IndexEntry>> left;
  for (const auto& part : parts_) left.push_back(part->entries());
  std::vector<std::uint32_t> positions;
  for (;;) {
    const IndexEntry* next = nullptr;
    for (const auto& entries : left) {
      if (entries.empty()) continue;
      if (next == nullptr || is_before(entries.front(), *next)) next = &entries.front();
    }
    if (next == nullptr) return;
    positions.clear();
    for (std::size_t part = 0; part < left.size(); ++part) {
      while (!left[part].empty() && is_same_blob(left[part].front(), *next)) {
        positions.push_back(static_cast<std::uint32_t>(begins_[part + 1] - left[part].size()));
        left[part] = left[part].subspan(1);
      }
    }
    use(positions);
  }
}

}  // namespace restree
