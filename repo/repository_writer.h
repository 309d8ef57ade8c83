// Adds blobs to a repository: stores what it does not have yet, packed, and indexed once stored.
//
// Order on the storage: packs, then index files that name only packs stored before. What a snapshot
// may point to is there once flush() has succeeded.
// Ownership: the repository must outlive it.
// Threads:   any for save(); one for flush(), when no save() runs.
// Limits:    open packs and packs under way are bounded: save() waits for the storage.
// Errors:    the first one fails it for good; kCancelled when the stop token says so. Whatever was
//            stored by then is indexed by finish_early().
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/format/zstd.h"
#include "repo/known_blobs.h"
#include "repo/pack_uploader.h"
#include "repo/pending_index.h"
#include "repo/repository.h"

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
    bool dry_run = false;     // goes through the motions, and stores nothing
    // Packs whose blobs are not in the repository although the index names them; in order.
    std::vector<PackId> lost_packs = {};
    // For how long a file is tried to be stored.
    std::chrono::seconds patience = std::chrono::minutes(15);
  };
  // What was new, since the start.
  struct Figures {
    std::uint64_t data_blobs = 0;
    std::uint64_t tree_blobs = 0;
    std::uint64_t raw_bytes = 0;  // as they were before compression
    // As the packs hold them, with the overhead of each pack that became full: restic's way.
    std::uint64_t stored_bytes = 0;
  };

  RepositoryWriter(Repository& repository, const Options& options, std::stop_token stop);
  ~RepositoryWriter();

  Result<SavedBlob> save(BlobType type, ByteView plain);
  // Why nothing more can be saved, if that is so.
  std::optional<Error> failure() const { return uploader_.failure(); }
  // Whether the index names a place for the blob in a pack that is not lost.
  bool has(BlobType type, const BlobId& id) const;

  // Stores what is still open and writes the index.
  Status flush();
  // After an error or a stop: names what is stored in an index, so that the next run finds it.
  Status finish_early();

  Figures figures() const;

 private:
  struct Slot {
    OpenPack* pack;
    MutableByteView place;
  };
  using OpenGroup = Guarded<std::vector<std::unique_ptr<OpenPack>>>;

  Result<SavedBlob> save_new(BlobType type, const BlobId& id, ByteView plain);
  Status store(const IndexedBlob& blob, ByteView content, bool in_raw_blocks);
  Result<Slot> reserve(const IndexedBlob& blob);
  Status filled(BlobType type, OpenPack* pack);
  void count(const IndexedBlob& blob, std::size_t raw_bytes);

  Repository& repository_;
  const Options options_;
  KnownBlobs taken_on_;
  PendingIndex index_;
  std::array<OpenGroup, 2> open_;  // by type; the last of each takes blobs, the others fill up
  Guarded<Figures> figures_;
  PackUploader uploader_;
};

}  // namespace restree
