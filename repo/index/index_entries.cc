#include "repo/index/index_entries.h"

#include <algorithm>
#include <new>
#include <type_traits>

namespace restree {

static_assert(std::is_trivially_copyable_v<IndexEntry>, "realloc() moves them");

std::span<IndexEntry> IndexEntries::grow(std::size_t count) {
  if (count > capacity_ - size_) {
    reallocate(std::max(size_ + count, capacity_ + capacity_ / 2));
  }
  size_ += count;
  return view().last(count);
}

void IndexEntries::shrink_to(std::size_t size) {
  size_ = size;
  if (size_ < capacity_) reallocate(size_);
}

void IndexEntries::reallocate(std::size_t capacity) {
  if (capacity == 0) {
    block_.reset();
  } else {
    void* const moved = std::realloc(block_.get(), capacity * sizeof(IndexEntry));
    if (moved == nullptr) throw std::bad_alloc();
    static_cast<void>(block_.release());
    block_.reset(static_cast<IndexEntry*>(moved));
  }
  capacity_ = capacity;
}

}  // namespace restree
