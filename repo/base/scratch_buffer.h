// A buffer that is used again and again, each time for new content.
//
// Threads: one at a time.
// Limits:  keeps at most 1 MiB, or twice the size that was last asked for if that is more: it does
//          not stay as large as the largest content ever.
#pragma once

#include <cstddef>

#include "repo/base/bytes.h"

namespace restree {

class ScratchBuffer {
 public:
  // `size` bytes of unspecified content, good until the next call.
  MutableByteView view_of(std::size_t size) {
    if (bytes_.size() < size || (bytes_.size() > kKeptBytes && bytes_.size() > 2 * size)) {
      bytes_ = Bytes();  // first, so that there are never two
      bytes_ = Bytes(size);
    }
    return bytes_.view().first(size);
  }

 private:
  static constexpr std::size_t kKeptBytes = 1 << 20;
  Bytes bytes_;
};

}  // namespace restree
