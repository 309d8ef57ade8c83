// Memory for large byte strings, given back to the system when it is no longer needed.
//
// malloc keeps what is freed between buffers of 100 KiB to 8 MiB in ever more pieces: a mount that
// decodes blobs for hours came to twice the memory that it used. Here each large buffer is a
// mapping of its own. Fresh pages cost more than decrypting what goes into them, so a few freed
// buffers wait, and their pages are cut and stretched to what is wanted next.
#pragma once

#include <cstddef>

namespace restree {

// From this size on, buffers come from mappings.
inline constexpr std::size_t kLargeBufferBytes = 256 << 10;

// Uninitialised; throws std::bad_alloc. Threads: any, for both.
std::byte* allocate_buffer(std::size_t size);
void free_buffer(std::byte* buffer) noexcept;

}  // namespace restree
