// Memory for large byte strings, given back to the system when it is no longer needed.
//
// malloc splits the memory that is freed among buffers of 100 KiB to 8 MiB into ever more pieces: a
// mount that decoded blobs for hours held twice the memory that it used. And memory that malloc
// gives back to the system costs more to get again than decrypting the bytes that go into it: on a
// virtual machine a fresh page may take 12 µs, which is 3 s for a file of 1 GiB. So large buffers
// lie close together in regions of their own, in huge pages where the system has them, and a few
// free pages are kept for the next buffers.
#pragma once

#include <cstddef>

namespace restree {

// From this size on, buffers come from regions.
inline constexpr std::size_t kLargeBufferBytes = 256 << 10;

// Uninitialised; throws std::bad_alloc. Threads: any, for both.
std::byte* allocate_buffer(std::size_t size);
void free_buffer(std::byte* buffer) noexcept;

}  // namespace restree
