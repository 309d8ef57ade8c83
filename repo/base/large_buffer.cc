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
constexpr std::size_t kMostWaitingBytes = 6 << 20;
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

// A waiting buffer that is not much too large, or nullptr.
Header* take_waiting(std::size_t needed) {
  auto waiting = waiting_buffers().lock();
  auto best = waiting->buffers.end();
  for (auto it = waiting->buffers.begin(); it != waiting->buffers.end(); ++it) {
    const std::size_t has = (*it)->mapped_bytes;
    if (has < needed || has > needed + needed / 4) continue;
    if (best == waiting->buffers.end() || has < (*best)->mapped_bytes) best = it;
  }
  if (best == waiting->buffers.end()) return nullptr;
  Header* const taken = *best;
  waiting->bytes -= taken->mapped_bytes;
  waiting->buffers.erase(best);
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

Header* map(std::size_t needed) {
  if (Header* const taken = take_waiting(needed); taken != nullptr) return taken;
  const std::size_t size = (needed + kGranularity - 1) / kGranularity * kGranularity;
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
