// All parts of an index as one, without a copy of them: a position and a pack number for each entry and
// each pack of all parts, those of the first part first.
//
// Ownership: shares the parts.
// Threads:   any, once made.
// Limits:    36 bytes a pack. Where two parts name the same pack, they are merged, which takes as much
//            again as the parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "repo/format/id.h"
#include "repo/format/index_file.h"
#include "repo/index/index.h"
#include "repo/index/index_parts.h"

namespace restree {

class WholeIndex {
 public:
  explicit WholeIndex(IndexParts parts);
  // One part. Implicit: an index is whole.
  WholeIndex(std::shared_ptr<const Index> index)  // NOLINT(google-explicit-constructor)
      : WholeIndex(IndexParts{std::move(index)}) {}

  const IndexParts& parts() const { return parts_; }
  std::size_t blob_count() const { return begins_.back(); }
  std::size_t pack_count() const { return packs_.size(); }
  const std::vector<PackId>& packs() const { return packs_; }

  // Its pack_number() is a position in packs().
  IndexEntry entry(std::size_t position) const;
  // The blob's id, which stays where it is.
  const BlobId& id(std::size_t position) const;
  // The position of the blob's first entry; nullopt: not in the index.
  std::optional<std::size_t> position(BlobType type, const BlobId& id) const;
  std::vector<BlobLocation> find_all(BlobType type, const BlobId& id) const;

  // Calls `use` for each entry, in the order of positions.
  void each_entry(const std::function<void(std::size_t position, const IndexEntry&)>& use) const;
  // Calls `use` for each blob, by id and type, with the positions of its entries, in order.
  void each_blob(const std::function<void(std::span<const std::uint32_t> positions)>& use) const;

 private:
  // The entry at a position of this part alone.
  IndexEntry entry_of(std::size_t part, std::size_t position) const;
  std::size_t part_of(std::size_t position) const;

  IndexParts parts_;
  std::vector<std::size_t> begins_;         // of each part's positions, and the end
  std::vector<std::uint32_t> first_packs_;  // of each part, in packs_
  std::vector<PackId> packs_;
};

}  // namespace restree
