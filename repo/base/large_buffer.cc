#include "repo/base/large_buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "repo/base/guarded.h"

namespace restree {
namespace {

// Freed buffers that wait for reuse take this much together.
constexpr std::size_t kMostWaitingBytes = 12 << 20;
constexpr std::size_t kGranularity = 64 << 10;

// A sanitizer that watches malloc must see every buffer by itself.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMayMap = false;
#else
constexpr bool kMayMap = true;
#endif

// Stands before every buffer.
struct alignas(64) Header {
  std::size_t mapped_bytes;  // 0: from malloc
};

struct Waiting {
  std::vector<Header*> buffers;
  std::size_t bytes = 0;
};

Guarded<Waiting>& waiting_buffers() {
  // Never destroyed: a buffer may be freed after main's statics are.
  static auto* waiting = new Guarded<Waiting>();
  return *waiting;
}

std::size_t rounded(std::size_t needed) {
  return (needed + kGranularity - 1) / kGranularity * kGranularity;
}

// Takes out the waiting buffer that fits best: the smallest that is large enough, or else the
// largest. nullptr if none waits.
Header* take_waiting(std::size_t size) {
  auto waiting = waiting_buffers().lock();
  auto& buffers = waiting->buffers;
  if (buffers.empty()) return nullptr;
  const auto fits_better = [size](const Header* a, const Header* b) {
    const bool a_fits = a->mapped_bytes >= size;
    const bool b_fits = b->mapped_bytes >= size;
    if (a_fits != b_fits) return a_fits;
    return a_fits ? a->mapped_bytes < b->mapped_bytes : a->mapped_bytes > b->mapped_bytes;
  };
  const auto best = std::min_element(buffers.begin(), buffers.end(), fits_better);
  Header* const taken = *best;
  waiting->bytes -= taken->mapped_bytes;
  buffers.erase(best);
  return taken;
}

// False if enough are waiting already.
bool keep_waiting(Header* header) {
  auto waiting = waiting_buffers().lock();
  if (waiting->bytes + header->mapped_bytes > kMostWaitingBytes) return false;
  waiting->bytes += header->mapped_bytes;
  waiting->buffers.push_back(header);
  return true;
}

std::byte* behind(Header* header) { return reinterpret_cast<std::byte*>(header + 1); }

// Cuts what is too much off a buffer; it waits for somebody else.
void split(Header* header, std::size_t size) {
  const std::size_t rest = header->mapped_bytes - size;
  if (rest < kLargeBufferBytes) return;
  header->mapped_bytes = size;
  auto* const cut = new (reinterpret_cast<std::byte*>(header) + size) Header{rest};
  if (!keep_waiting(cut)) ::munmap(cut, rest);
}

// The pages of a smaller buffer, and some more behind them; nullptr if there are none to be had.
Header* grow(Header* header, std::size_t size) {
  void* const moved = ::mremap(header, header->mapped_bytes, size, MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) {
    ::munmap(header, header->mapped_bytes);
    return nullptr;
  }
  auto* const grown = static_cast<Header*>(moved);
  grown->mapped_bytes = size;
  return grown;
}

Header* map(std::size_t needed) {
  const std::size_t size = rounded(needed);
  if (Header* const taken = take_waiting(size); taken != nullptr) {
    if (taken->mapped_bytes >= size) {
      split(taken, size);
      return taken;
    }
    if (Header* const grown = grow(taken, size); grown != nullptr) return grown;
  }
  void* const mapping =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  return new (mapping) Header{size};
}

}  // namespace

std::byte* allocate_buffer(std::size_t size) {
  const std::size_t needed = size + sizeof(Header);
  if (needed < size || needed > SIZE_MAX - kGranularity) throw std::bad_alloc();
  if (kMayMap && size >= kLargeBufferBytes) return behind(map(needed));
  void* const memory = std::aligned_alloc(
      alignof(Header), (needed + sizeof(Header) - 1) / sizeof(Header) * sizeof(Header));
  if (memory == nullptr) throw std::bad_alloc();
  return behind(new (memory) Header{0});
}

void free_buffer(std::byte* buffer) noexcept {
  if (buffer == nullptr) return;
  Header* const header = reinterpret_cast<Header*>(buffer) - 1;
  if (header->mapped_bytes == 0) {
    std::free(header);
  } else if (!keep_waiting(header)) {
    ::munmap(header, header->mapped_bytes);
  }
}

}  // namespace restree
