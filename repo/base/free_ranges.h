// Which parts of a stretch of memory are free.
#pragma once

#include <cstddef>
#include <iterator>
#include <map>
#include <optional>

namespace restree {

// Hands out the lowest part that is large enough, so that the used parts stay close together, and
// joins a part that is given back with its free neighbours.
//
// Pure: it knows offsets, not memory.
// Threads: one at a time.
class FreeRanges {
 public:
  explicit FreeRanges(std::size_t size) : sizes_{{0, size}} {}

  std::optional<std::size_t> take(std::size_t size) {
    for (auto at = sizes_.begin(); at != sizes_.end(); ++at) {
      const auto [offset, free] = *at;
      if (free < size) continue;
      sizes_.erase(at);
      if (free > size) sizes_.emplace(offset + size, free - size);
      return offset;
    }
    return std::nullopt;
  }

  // The range must have been taken as a whole.
  void give_back(std::size_t offset, std::size_t size) {
    auto next = sizes_.lower_bound(offset);
    if (next != sizes_.end() && next->first == offset + size) {
      size += next->second;
      next = sizes_.erase(next);
    }
    if (next != sizes_.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second == offset) {
        before->second += size;
        return;
      }
    }
    sizes_.emplace(offset, size);
  }

  // By offset; no two touch.
  const std::map<std::size_t, std::size_t>& sizes_by_offset() const { return sizes_; }

 private:
  std::map<std::size_t, std::size_t> sizes_;
};

}  // namespace restree
