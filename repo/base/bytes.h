// Owned byte strings that are not zeroed when made, views of them, and their hexadecimal form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "repo/base/large_buffer.h"

namespace restree {

using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;

// A size or position in memory, of 64 bits where it comes from. What a 32-bit processor cannot address
// is memory that it does not have: std::bad_alloc.
inline std::size_t memory_size(std::uint64_t size) {
  if (!std::in_range<std::size_t>(size)) throw std::bad_alloc();
  return static_cast<std::size_t>(size);
}

// A byte string of fixed capacity whose ends can be trimmed without moving the bytes, so that bytes
// decrypted in place are handed on without a copy. Move-only: a copy of 8 MiB should be visible.
class Bytes {
 public:
  Bytes() = default;
  // `size` bytes of unspecified content.
  explicit Bytes(std::uint64_t size)
      : storage_(size == 0 ? nullptr : allocate_buffer(memory_size(size))),
        size_(memory_size(size)) {}

  static Bytes copy_of(ByteView view) {
    Bytes bytes(view.size());
    if (!view.empty()) std::memcpy(bytes.data(), view.data(), view.size());
    return bytes;
  }

  std::byte* data() { return storage_.get() + begin_; }
  const std::byte* data() const { return storage_.get() + begin_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  ByteView view() const { return {data(), size_}; }
  MutableByteView view() { return {data(), size_}; }
  operator ByteView() const { return view(); }

  void remove_prefix(std::size_t count) {
    begin_ += count;
    size_ -= count;
  }
  void remove_suffix(std::size_t count) { size_ -= count; }

 private:
  struct Free {
    void operator()(std::byte* buffer) const { free_buffer(buffer); }
  };
  std::unique_ptr<std::byte[], Free> storage_;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
};

inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(ByteView bytes);
void append_hex(ByteView bytes, std::string& out);
// Exactly `into.size()` bytes from lower- or upper-case hexadecimal; false if `hex` is not that.
bool from_hex(std::string_view hex, MutableByteView into);
// Standard base64 with padding, as Go's encoding/json writes []byte; nullopt if it is not that.
std::optional<std::string> from_base64(std::string_view text);
std::string to_base64(ByteView bytes);

inline std::uint32_t load_u32le(const std::byte* from) {
  return std::uint32_t(from[0]) | std::uint32_t(from[1]) << 8 | std::uint32_t(from[2]) << 16 |
         std::uint32_t(from[3]) << 24;
}

// Returns where the next byte goes.
inline std::byte* store_u32le(std::uint32_t value, std::byte* to) {
  for (int i = 0; i < 4; ++i) *to++ = static_cast<std::byte>(value >> (8 * i));
  return to;
}

}  // namespace restree
