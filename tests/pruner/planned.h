// A repository of numbers, of which tests make plans.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "repo/pruner/prune_plan.h"
#include "tests/index/numbered_ids.h"
#include "tests/support/matchers.h"

namespace restree {

inline constexpr std::uint32_t kMiB = 1 << 20;

struct Stored {
  std::uint64_t blob;
  std::uint32_t length = 5 * kMiB;
  BlobType type = BlobType::kData;
  bool is_compressed = true;
};
inline Stored tree(std::uint64_t blob, std::uint32_t length = 5 * kMiB) {
  return {blob, length, BlobType::kTree};
}
inline Stored raw(std::uint64_t blob, BlobType type = BlobType::kData) {
  return {blob, 5 * kMiB, type, false};
}

inline std::uint64_t size_of(const std::vector<Stored>& blobs) {
  std::uint64_t size = 36;
  for (const Stored& blob : blobs) size += blob.length + (blob.is_compressed ? 41 : 37);
  return size;
}

// All of it is in the index and in the storage unless a test says otherwise.
class Planned : public ::testing::Test {
 protected:
  void pack(std::uint64_t number, const std::vector<Stored>& blobs) {
    std::vector<IndexedBlob> indexed;
    std::uint32_t offset = 0;
    for (const Stored& blob : blobs) {
      indexed.push_back({blob_id(blob.blob), blob.type, offset, blob.length,
                         blob.is_compressed ? 2 * blob.length : 0});
      offset += blob.length;
    }
    builders_[number % builders_.size()].add(pack_id(number), indexed);
    stored_.push_back({pack_id(number), size_of(blobs)});
    numbers_.emplace(pack_id(number), number);
  }
  void use(const std::set<std::uint64_t>& blobs) { used_ = blobs; }
  ListedPack& listed(std::uint64_t number) {
    return *std::ranges::find(stored_, pack_id(number), &ListedPack::id);
  }
  void lose(std::uint64_t number) {
    std::erase_if(stored_, [&](const auto& pack) { return pack.id == pack_id(number); });
  }

  Result<PrunePlan> try_plan() {
    if (!index_) {
      IndexParts parts;
      for (IndexBuilder& builder : builders_) parts.push_back(std::move(builder).build(1));
      index_.emplace(std::move(parts));
    }
    std::vector<bool> used(index_->blob_count());
    for (const std::uint64_t blob : used_) {
      for (const BlobType type : {BlobType::kData, BlobType::kTree}) {
        if (const auto at = index_->position(type, blob_id(blob))) used[*at] = true;
      }
    }
    return plan_prune(*index_, used, stored_, rules_);
  }
  PrunePlan plan() { return testing::value_of(try_plan()); }

  std::vector<std::uint64_t> packs_with(PackFate fate, const PrunePlan& plan) const {
    std::vector<std::uint64_t> numbers;
    for (std::size_t i = 0; i < plan.fates.size(); ++i) {
      if (plan.fates[i] == fate) numbers.push_back(numbers_.at(index_->packs()[i]));
    }
    std::ranges::sort(numbers);
    return numbers;
  }
  std::vector<std::uint64_t> repacked() { return packs_with(PackFate::kRepack, plan()); }
  std::vector<std::uint64_t> kept() { return packs_with(PackFate::kKeep, plan()); }
  std::vector<std::uint64_t> removed() { return packs_with(PackFate::kRemove, plan()); }
  // From which pack each blob is copied.
  std::map<std::uint64_t, std::uint64_t> copied(const PrunePlan& plan) const {
    std::map<std::uint64_t, std::uint64_t> from;
    for (const std::uint32_t position : plan.copies) {
      const IndexEntry entry = index_->entry(position);
      for (const std::uint64_t blob : used_) {
        if (blob_id(blob) == entry.id) {
          from[blob] = numbers_.at(index_->packs()[entry.pack_number()]);
        }
      }
    }
    return from;
  }
  void allow_no_unused() { rules_.max_unused = {.kind = UnusedLimit::Kind::kBytes, .bytes = 0}; }

  PruneRules rules_;
  std::vector<IndexBuilder> builders_ = std::vector<IndexBuilder>(1);  // of the index's parts
  std::optional<WholeIndex> index_;
  std::vector<ListedPack> stored_;
  std::set<std::uint64_t> used_;
  std::map<PackId, std::uint64_t> numbers_;
};

}  // namespace restree
