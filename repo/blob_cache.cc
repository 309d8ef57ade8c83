#include "repo/blob_cache.h"

namespace restree {
namespace {

// The memory that an entry takes in addition to the bytes of its blob.
constexpr std::size_t kEntryOverheadBytes = 256;

}  // namespace

BlobCache::BlobCache(BlobSource& source, std::size_t budget_bytes)
    : source_(source),
      blobs_(budget_bytes, [](const Bytes& blob) { return blob.size() + kEntryOverheadBytes; }) {}

Result<SharedBlob> BlobCache::load(BlobType type, const BlobId& id, Deadline by) {
  return blobs_.get({type, id}, by, [&] { return source_.load(type, id, by); });
}

bool BlobCache::knows(BlobType type, const BlobId& id) const { return blobs_.knows({type, id}); }

}  // namespace restree
