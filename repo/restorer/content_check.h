// Checks that blobs can be loaded, before anything in the target is changed for them.
//
// Cached blobs pass. Of others the storage is asked how long the pack is; if it is missing or too
// short, loading the blob decides, since it may lie in another pack. Damage inside
// a pack is not found: that would take reading everything twice.
// Ownership: the repository and the ids outlive it.
// Threads:   one; the storage is asked by several at once.
// Limits:    24 bytes for each blob wanted; a request for each pack.
// Errors:    kUnavailable: the storage cannot be reached. kCancelled: stopped.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "repo/bulk/bulk_load.h"
#include "repo/repository.h"

namespace restree {

class ContentCheck {
 public:
  ContentCheck(Repository& repository, BulkOptions options)
      : repository_(repository), options_(std::move(options)) {}

  // `tag`: the caller's number of the file that the blob belongs to.
  void want(const BlobId& id, std::uint32_t tag);
  // Call once. The tags whose blobs cannot all be loaded, and why.
  Result<std::map<std::uint32_t, Error>> run();

 private:
  struct Use {
    const BlobId* id;
    std::uint32_t tag;
    std::uint32_t offset;
    std::uint32_t length;
  };
  Deadline soon() const { return Deadline::after(options_.patience); }
  Status stop_if_asked() const;
  Status ask_for_packs();
  Result<std::map<std::uint32_t, Error>> load_doubtful();

  Repository& repository_;
  const BulkOptions options_;
  std::unordered_map<PackId, std::vector<Use>> uses_;
  std::map<BlobId, std::vector<std::uint32_t>> doubtful_;  // and the tags that want them
};

}  // namespace restree
