// Where the content of blobs comes from: a repository, or a cache in front of one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/format/id.h"

namespace restree {

// The plaintext of a blob, shared by all readers of it at the same time.
using SharedBlob = std::shared_ptr<const Bytes>;

class BlobSource {
 public:
  virtual ~BlobSource() = default;

  // The blob's bytes, whose SHA-256 has been compared with its id.
  // kCorrupt: no index names it, or every place that should hold it is damaged or gone; the message
  // names blob and pack. kUnavailable: the storage could not be reached by `by`.
  // Threads: any.
  virtual Result<SharedBlob> load(BlobType type, const BlobId& id, Deadline by) = 0;
};

}  // namespace restree
