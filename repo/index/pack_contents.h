// The entries of an index pack by pack, in the order in which their blobs lie there.
//
// Ownership: refers to the index, which must outlive it. Threads: any.
// Limits:    4 bytes a blob and a pack.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "repo/index/index.h"

namespace restree {

class PackContents {
 public:
  PackContents() : begins_(1) {}
  explicit PackContents(const Index& index);

  std::size_t pack_count() const { return begins_.size() - 1; }
  // The positions in the index of the blobs in the pack of this number.
  std::span<const std::uint32_t> of(std::uint32_t pack) const {
    return std::span(order_).subspan(begins_[pack], begins_[pack + 1] - begins_[pack]);
  }

 private:
  std::vector<std::uint32_t> order_;   // positions, pack by pack
  std::vector<std::uint32_t> begins_;  // where each pack begins in order_, and the end of order_
};

}  // namespace restree
