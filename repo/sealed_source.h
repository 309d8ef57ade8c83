// Where a repository gets the sealed bytes of a blob that it has to ask the storage for.
//
// Without one it asks for exactly these bytes. One that knows more may have asked for them before,
// or asks for more than these.
// Threads: any, many at once.
#pragma once

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/index/index.h"

namespace restree {

class SealedSource {
 public:
  virtual ~SealedSource() = default;

  // Exactly the bytes of that place, not looked at yet. Errors: those of Storage::read.
  virtual Result<Bytes> read(const BlobLocation& place, BlobType type, Deadline by) = 0;
  // What read() gave was damaged: the next read must ask the storage anew.
  virtual void reject(const BlobLocation& place) = 0;
};

}  // namespace restree
