// Adds blobs to a repository: blobs that it does not have yet are stored in packs and then indexed.
//
// Order on the storage: packs, then index files that name only packs stored before. A snapshot may
// refer to the saved blobs once flush() has succeeded.
// Ownership: the repository must outlive it.
// Threads:   any for save(); one for flush(), when no save() runs.
// Limits:    the number of open packs and uploads is bounded: save() waits for the storage.
// Errors:    after the first one every call fails; kCancelled after a stop was requested.
//            finish_early() then indexes the packs stored so far.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/format/zstd.h"
#include "repo/repository.h"
#include "repo/writer/joined_pack.h"
#include "repo/writer/known_blobs.h"
#include "repo/writer/pack_uploader.h"
#include "repo/writer/pending_index.h"

namespace restree {

struct SavedBlob {
  BlobId id;
  bool is_new = false;
  std::uint64_t stored_bytes = 0;  // sealed, with its entry in the pack's header; 0 if known
};

class RepositoryWriter {
 public:
  static constexpr std::size_t kDefaultPackBytes = 16 << 20;

  struct Options {
    Compression compression = Compression::kAuto;
    std::size_t pack_bytes = kDefaultPackBytes;
    std::size_t uploads = 2;  // packs stored at once
    bool dry_run = false;     // does everything except storing
    // Packs whose blobs are not in the repository although the index names them; in order.
    std::vector<PackId> lost_packs = {};
    // How long storing a file is tried again after failures.
    std::chrono::seconds patience = std::chrono::minutes(15);
    OnPackStored on_stored = {};
    // How long a stored pack waits for an index file that names it.
    std::chrono::seconds index_wait = PendingIndex::kLongestWait;
  };
  // The new blobs since the start.
  struct Figures {
    std::uint64_t data_blobs = 0;
    std::uint64_t tree_blobs = 0;
    std::uint64_t raw_bytes = 0;  // before compression
    // In the packs, with the overhead of each pack that became full; restic counts so too.
    std::uint64_t stored_bytes = 0;
  };

  RepositoryWriter(Repository& repository, const Options& options, std::stop_token stop);
  ~RepositoryWriter();

  Result<SavedBlob> save(BlobType type, ByteView plain);
  // The same for a blob of another repository, whose content is known to have this id. `frame`: the same
  // compressed, which is stored as it is unless a certain compression is wanted; empty: there is none.
  Result<SavedBlob> save_known(BlobType type, const BlobId& id, ByteView plain, ByteView frame);
  // For blobs that are moved to another pack: stores one although the index has it. A second call
  // with the same blob stores it twice.
  Result<SavedBlob> save_again(BlobType type, const BlobId& id, ByteView plain);
  // The same with its sealed bytes as they are, which the caller has opened and found right.
  // `blob.offset` is ignored.
  Result<SavedBlob> save_sealed(const IndexedBlob& blob, ByteView sealed);
  // A whole pack of another repository with the same key, as it is: `file` has the hash that `pack`
  // says, and `blobs` are those of its header. Stored in the calling thread, named in an index later.
  Status save_pack(const PackId& pack, ByteView file, std::vector<IndexedBlob> blobs);
  // For blobs that are moved to another pack, as save_sealed(), which make one pack together: the storage copies
  // them there by itself. Errors: those of JoinedPack; nothing is stored then, and save_sealed() may be called
  // for them. After any other, failure() has it.
  Status join(std::span<const PlacedBlob> blobs);
  std::size_t pack_bytes() const { return options_.pack_bytes; }
  // The error because of which nothing more can be saved, if any.
  std::optional<Error> failure() const { return uploader_.failure(); }
  // Whether the blob is in a pack that is not lost and that an index of the repository, or one that
  // is not yet written, names.
  bool has(BlobType type, const BlobId& id) const;
  // The same, or it was passed to save().
  bool knows(BlobType type, const BlobId& id) const {
    return has(type, id) || taken_on_.contains(type, id);
  }

  // Stores the packs that are still open and writes the index.
  Status flush();
  // After an error or a stop: writes an index of the stored packs, so that the next run can use
  // them.
  Status finish_early();

  Figures figures() const;

 private:
  struct Slot {
    OpenPack* pack;
    MutableByteView place;
  };
  using OpenGroup = Guarded<std::vector<std::unique_ptr<OpenPack>>>;

  // Calls `save`, which stores a blob that others may count on: if it fails, all later calls fail.
  // kLocalIo: also if memory is refused.
  Result<SavedBlob> save_or_fail(const std::function<Result<SavedBlob>()>& save);
  Result<SavedBlob> save_as_new(BlobType type, const BlobId& id, ByteView plain);
  bool takes_frames(BlobType type) const;
  Result<SavedBlob> save_frame(BlobType type, const BlobId& id, std::size_t raw_bytes,
                               ByteView frame);
  Status store(const IndexedBlob& blob, ByteView content, bool in_raw_blocks);
  Result<Slot> reserve(const IndexedBlob& blob);
  Status filled(BlobType type, OpenPack* pack) EXCLUDES(figures_);
  Result<SavedBlob> store_sealed(const IndexedBlob& blob, ByteView sealed);
  void count(const IndexedBlob& blob, std::size_t raw_bytes);

  Repository& repository_;
  const Options options_;
  KnownBlobs taken_on_;
  PendingIndex index_;
  // By type. The last pack of each takes new blobs; in the others, reserved places are being
  // filled.
  std::array<OpenGroup, 2> open_;
  Guarded<Figures> figures_;
  PackUploader uploader_;
};

}  // namespace restree
