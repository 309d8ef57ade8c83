// A new pack that the storage puts together out of parts of packs that it has, so that only its header is sent.
//
// Nothing of it is believed: once the storage has put it together, the new file is read, each blob is opened and
// its hash compared with its id, and the header with what was sent. Its name is the hash of the bytes that were
// read. So a damaged blob, a part that was not copied and a server that copies wrongly give an error, and no
// pack; and more is known of such a pack than of one that was sent, which is not read again.
//
// Threads: any.
// Limits:  a buffer, as large as kReadBytes or the largest blob.
// Errors:  kCorrupt: it is not what it should be. kCancelled: stopped. Others: those of Storage::join().
//          There is no new file then.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "repo/format/id.h"
#include "repo/format/index_file.h"
#include "repo/repository.h"

namespace restree {

// A blob in the pack that it is to be copied from.
struct PlacedBlob {
  PackId pack;
  IndexedBlob blob;
};

class JoinedPack {
 public:
  // The blobs follow each other in this order.
  explicit JoinedPack(std::span<const PlacedBlob> blobs);

  // At their places in the new pack.
  const std::vector<IndexedBlob>& blobs() const { return blobs_; }
  std::uint64_t file_bytes() const { return file_bytes_; }

  Result<PackId> store(const Repository& repository, Deadline by,
                       const std::stop_token& stop) const;

 private:
  static constexpr std::uint64_t kReadBytes = 4 << 20;

  std::vector<IndexedBlob> blobs_;
  std::vector<FileRange> ranges_;
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t file_bytes_ = 0;
};

}  // namespace restree
