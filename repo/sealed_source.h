// Where a repository gets the sealed bytes of a blob that it has to ask the storage for.
//
// Without a source, the repository reads exactly these bytes from the storage. A source that knows
// what is needed next may have read them earlier, or read more than these.
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
  // The bytes that read() has returned were damaged: the next read must ask the storage again.
  virtual void reject(const BlobLocation& place) = 0;
};

}  // namespace restree
