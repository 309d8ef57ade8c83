// Memory for the moment, used again and again.
//
// Threads: one at a time. Limits: keeps what its last user wanted, and 1 MiB at least once that
// much was wanted: it does not stay as large as the largest thing that ever passed through.
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
