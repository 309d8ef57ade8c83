// A pack in memory, while blobs are sealed into it by several threads at once.
//
// Ownership: the buffer, which finish() completes with the header.
// Threads:   every call under the lock of whoever owns the pack; only the places that reserve()
//            gave may be written outside of it, each by one thread.
// Limits:    payload, header and overhead never pass the end of the buffer.
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
  // Full once its blobs come to `target_bytes`.
  OpenPack(Bytes buffer, std::size_t target_bytes)
      : buffer_(std::move(buffer)), target_bytes_(target_bytes) {}

  // What a buffer must hold for a pack of this one blob.
  static std::size_t bytes_for(const IndexedBlob& blob);

  // Room for one more sealed blob, `blob.length` bytes; nullopt if it has to go to another pack.
  std::optional<MutableByteView> reserve(IndexedBlob blob);
  // A place that was reserved holds its blob now.
  void filled() { --unfilled_; }
  bool is_full() const;
  bool is_filled() const { return unfilled_ == 0; }

  std::span<const IndexedBlob> blobs() const { return blobs_; }
  ByteView sealed_blob(const IndexedBlob& blob) const {
    return buffer_.view().subspan(blob.offset, blob.length);
  }

  // Appends the header: the whole file, good as long as the pack.
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
