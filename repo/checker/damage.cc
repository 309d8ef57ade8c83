#include "repo/checker/damage.h"

#include <map>
#include <span>

namespace restree {
namespace {

constexpr std::size_t kMostUnknown = 10'000;

bool is_same_blob(const IndexEntry& a, const IndexEntry& b) {
  return a.id == b.id && a.type() == b.type();
}

}  // namespace

void Damage::use_index(std::shared_ptr<const Index> index) {
  index_ = std::move(index);
  damaged_.assign(index_->blob_count(), false);
}

void Damage::add_blob(BlobType type, const BlobId& id) {
  const auto first = index_->position(type, id);
  if (!first) {
    if (unknown_.size() < kMostUnknown) unknown_.emplace(type, id);
    return;
  }
  const std::span<const IndexEntry> entries = index_->entries();
  for (std::size_t i = *first; i < entries.size() && is_same_blob(entries[i], entries[*first]);
       ++i) {
    damaged_[i] = true;
  }
}

bool Damage::is_lost(BlobType type, const BlobId& id) const {
  const auto first = index_->position(type, id);
  if (!first) return true;
  const std::span<const IndexEntry> entries = index_->entries();
  for (std::size_t i = *first; i < entries.size() && is_same_blob(entries[i], entries[*first]);
       ++i) {
    if (!damaged_[i]) return false;
  }
  return true;
}

std::vector<DamagedPack> Damage::packs() const {
  std::map<std::uint32_t, DamagedPack> found;
  const std::span<const IndexEntry> entries = index_->entries();
  for (std::size_t i = 0; i < damaged_.size(); ++i) {
    if (damaged_[i]) ++found[entries[i].pack_number()].damaged;
  }
  for (const IndexEntry& entry : entries) {
    if (const auto pack = found.find(entry.pack_number()); pack != found.end()) {
      ++pack->second.blobs;
    }
  }
  std::vector<DamagedPack> packs;
  for (auto& [number, pack] : found) {
    pack.id = index_->packs()[number];
    packs.push_back(pack);
  }
  return packs;
}

template <class Each>
void Damage::for_each_lost(Each each) const {
  const std::span<const IndexEntry> entries = index_->entries();
  for (std::size_t first = 0; first < entries.size();) {
    bool is_lost = true;
    std::size_t next = first;
    for (; next < entries.size() && is_same_blob(entries[next], entries[first]); ++next) {
      is_lost = is_lost && damaged_[next];
    }
    if (is_lost && !each(entries[first])) return;
    first = next;
  }
}

std::vector<LostBlob> Damage::lost(std::size_t most) const {
  std::vector<LostBlob> blobs;
  for_each_lost([&](const IndexEntry& entry) {
    if (blobs.size() >= most) return false;
    blobs.push_back({entry.type(), entry.id, index_->packs()[entry.pack_number()]});
    return true;
  });
  return blobs;
}

std::uint64_t Damage::lost_count() const {
  std::uint64_t count = 0;
  for_each_lost([&](const IndexEntry&) {
    ++count;
    return true;
  });
  return count;
}

}  // namespace restree
