// A pack in memory, into which several threads seal blobs at once.
//
// Ownership: the buffer, which finish() completes with the header.
// Threads:   every call under the lock of the pack's owner; only the places that reserve() has
//            returned may be written outside of it, each by one thread.
// Limits:    payload, header and overhead never exceed the buffer.
// Format:    pack_header.h.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/pack_header.h"
#include "repo/repository.h"

namespace restree {

class OpenPack {
 public:
  // The pack is full once its blobs have `target_bytes` together.
  OpenPack(Bytes buffer, std::size_t target_bytes)
      : buffer_(std::move(buffer)), target_bytes_(target_bytes) {}

  // The size of the buffer that a pack of only this blob needs.
  static std::size_t bytes_for(const IndexedBlob& blob);

  // The place for one more sealed blob, of `blob.length` bytes; nullopt: it does not fit, or the
  // pack is full.
  std::optional<MutableByteView> reserve(IndexedBlob blob);
  // To be called once a reserved place holds its blob.
  void filled() { --unfilled_; }
  bool is_full() const;
  bool is_filled() const { return unfilled_ == 0; }

  std::span<const IndexedBlob> blobs() const { return blobs_; }
  ByteView sealed_blob(const IndexedBlob& blob) const {
    return buffer_.view().subspan(blob.offset, blob.length);
  }

  // Appends the header. Returns the bytes of the whole file, valid as long as the pack.
  Result<ByteView> finish(const Repository& repository);
  Bytes take_buffer() && { return std::move(buffer_); }

 private:
  Bytes buffer_;
  const std::size_t target_bytes_;
  std::size_t payload_bytes_ = 0;
  std::size_t header_bytes_ = 0;
  std::size_t unfilled_ = 0;
  std::vector<IndexedBlob> blobs_;
};

}  // namespace restree
