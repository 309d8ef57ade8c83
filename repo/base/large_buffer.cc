#include "repo/base/large_buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <ranges>
#include <vector>

#include "repo/base/free_ranges.h"
#include "repo/base/guarded.h"

namespace restree {
namespace {

// The unit in which memory comes from the system and goes back to it: a huge page.
constexpr std::size_t kFrameBytes = 2 << 20;
constexpr std::size_t kRegionBytes = 64 << 20;
// The most memory that free frames keep for reuse, all together.
constexpr std::size_t kMostWaitingBytes = 12 << 20;
constexpr std::size_t kGranularity = 4 << 10;

// A sanitizer that watches malloc must see every buffer by itself.
#ifdef RESTREE_SANITIZED
constexpr bool kMayMap = false;
#else
constexpr bool kMayMap = true;
#endif

enum class Origin : std::uint8_t { kMalloc, kMapping, kRegion };

// Stands right before every buffer, aligned as malloc aligns.
struct alignas(std::max_align_t) Header {
  Origin origin;
  std::size_t size;  // of all the memory
};

// Where in mapped memory, which begins at a page, a buffer begins.
constexpr std::size_t kMappedBegin = 64;
static_assert(kMappedBegin >= sizeof(Header));

std::byte* begin_mapped(std::byte* memory, Origin origin, std::size_t size) {
  std::byte* const buffer = memory + kMappedBegin;
  new (buffer - sizeof(Header)) Header{origin, size};
  return buffer;
}

std::size_t rounded(std::size_t size, std::size_t to) { return (size + to - 1) / to * to; }

std::byte* map(std::size_t size) {
  void* const mapping = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(mapping);
}

// Address space that buffers lie in, and which of its frames have memory.
class Region {
 public:
  Region() : begin_(map_aligned()), has_memory_(kRegionBytes / kFrameBytes) {
    // If the system has no huge pages, small ones serve as well.
    ::madvise(begin_, kRegionBytes, MADV_HUGEPAGE);
  }

  std::byte* take(std::size_t size) {
    const std::optional<std::size_t> offset = free_.take(size);
    if (!offset) return nullptr;
    for (std::size_t at = *offset / kFrameBytes; at * kFrameBytes < *offset + size; ++at) {
      has_memory_[at] = true;
    }
    return begin_ + *offset;
  }

  bool has(const std::byte* buffer) const {
    return buffer >= begin_ && buffer < begin_ + kRegionBytes;
  }
  void give_back(std::byte* buffer, std::size_t size) {
    free_.give_back(static_cast<std::size_t>(buffer - begin_), size);
  }

  std::size_t waiting_bytes() const {
    std::size_t frames = 0;
    for_waiting_frames([&](std::size_t) { return ++frames, true; });
    return frames * kFrameBytes;
  }
  // Gives the memory of the highest free frames back to the system; returns how much that was.
  std::size_t release(std::size_t bytes) {
    std::size_t released = 0;
    for_waiting_frames([&](std::size_t frame) {
      if (released >= bytes) return false;
      // If this fails, the process only keeps the memory.
      ::madvise(begin_ + frame * kFrameBytes, kFrameBytes, MADV_DONTNEED);
      has_memory_[frame] = false;
      released += kFrameBytes;
      return true;
    });
    return released;
  }

 private:
  static std::byte* map_aligned() {
    std::byte* const mapping = map(kRegionBytes + kFrameBytes);
    const std::size_t before = -reinterpret_cast<std::uintptr_t>(mapping) % kFrameBytes;
    if (before > 0) ::munmap(mapping, before);
    ::munmap(mapping + before + kRegionBytes, kFrameBytes - before);
    return mapping + before;
  }

  // Visits the free frames that have memory, from the highest down, until `visit` returns false.
  template <class Visit>
  void for_waiting_frames(const Visit& visit) const {
    for (const auto& [offset, size] : std::views::reverse(free_.sizes_by_offset())) {
      const std::size_t first = rounded(offset, kFrameBytes) / kFrameBytes;
      for (std::size_t at = (offset + size) / kFrameBytes; at > first; --at) {
        if (has_memory_[at - 1] && !visit(at - 1)) return;
      }
    }
  }

  std::byte* const begin_;
  FreeRanges free_{kRegionBytes};
  std::vector<bool> has_memory_;
};

// Regions stay as long as the program runs; their memory does not.
class Regions {
 public:
  std::byte* take(std::size_t size) {
    for (Region& region : regions_) {
      if (std::byte* const buffer = region.take(size); buffer != nullptr) return buffer;
    }
    return regions_.emplace_back().take(size);
  }

  void give_back(std::byte* buffer, std::size_t size) {
    std::size_t waiting = 0;
    for (Region& region : regions_) {
      if (region.has(buffer)) region.give_back(buffer, size);
      waiting += region.waiting_bytes();
    }
    for (Region& region : std::views::reverse(regions_)) {
      if (waiting <= kMostWaitingBytes) return;
      waiting -= region.release(waiting - kMostWaitingBytes);
    }
  }

 private:
  std::vector<Region> regions_;
};

Guarded<Regions>& regions() {
  // Never destroyed: a buffer may be freed after main's statics are.
  static auto* regions = new Guarded<Regions>();
  return *regions;
}

}  // namespace

std::byte* allocate_buffer(std::size_t size) {
  if (size > SIZE_MAX - 2 * kGranularity) throw std::bad_alloc();
  if (!kMayMap || size < kLargeBufferBytes) {
    // Not aligned_alloc, which cuts off and frees the ends of a larger piece each time.
    void* const memory = std::malloc(sizeof(Header) + size);
    if (memory == nullptr) throw std::bad_alloc();
    auto* const header = new (memory) Header{Origin::kMalloc, sizeof(Header) + size};
    return reinterpret_cast<std::byte*>(header + 1);
  }
  const std::size_t whole = rounded(kMappedBegin + size, kGranularity);
  // A buffer this large would fill a region alone.
  if (whole > kRegionBytes / 2) return begin_mapped(map(whole), Origin::kMapping, whole);
  return begin_mapped(regions().lock()->take(whole), Origin::kRegion, whole);
}

void free_buffer(std::byte* buffer) noexcept {
  if (buffer == nullptr) return;
  Header* const header = reinterpret_cast<Header*>(buffer) - 1;
  switch (header->origin) {
    case Origin::kMalloc:
      std::free(header);
      return;
    case Origin::kMapping:
      ::munmap(buffer - kMappedBegin, header->size);
      return;
    case Origin::kRegion:
      try {
        regions().lock()->give_back(buffer - kMappedBegin, header->size);
      } catch (const std::bad_alloc&) {
        // No memory to note that the buffer is free, so it stays taken.
      }
      return;
  }
}

}  // namespace restree
