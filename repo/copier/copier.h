// Copies snapshots from one repository to another, the oldest first.
//
// Order on the storage: packs, then index files, then the snapshots that need them, several at once.
// A run that is cut short at any moment leaves a destination that is whole; the next one reads only
// what is not stored and indexed yet.
// Ownership: both repositories, their indexes loaded, and the listener must outlive it.
// Threads:   one; it reads and saves with several of its own.
// Limits:    those of BlobCopy and of RepositoryWriter.
// Format:    restic's: a copy names the first of its predecessors as its original, and both programs
//            know each other's copies by that. If both repositories have one master key, a copy is the
//            snapshot's file as it is, with its id: see same_key_copy.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/copier/blob_copy.h"
#include "repo/copier/copied_snapshots.h"
#include "repo/copier/copy_listener.h"
#include "repo/copier/same_key_copy.h"
#include "repo/format/snapshot.h"
#include "repo/repository.h"
#include "repo/writer/repository_writer.h"

namespace restree {

struct CopyOptions {
  RepositoryWriter::Options writer = {};
  std::size_t read_threads = 4;
  std::chrono::seconds patience{900};  // for each request to the source
  std::stop_token stop = {};
};

// Whether the snapshots that are copied and not yet saved are to be saved now. Each time costs up to
// two packs that are not full and an index file; waiting costs snapshots that the destination could
// have had when the run is cut short.
bool ends_batch(std::uint64_t stored_bytes, Deadline::Clock::duration elapsed,
                std::size_t pack_bytes);

class Copier {
 public:
  Copier(Repository& source, Repository& destination, const CopyOptions& options,
         CopyListener& listener);

  // Copies those that are not among `there`, the destination's. Returns how many were left out
  // because the source lacks a part of them. Any error ends it: kCancelled after a stop; those of
  // either storage. What was copied is then stored and indexed as far as that is possible.
  Result<std::size_t> copy(std::vector<Snapshot> wanted, const std::vector<Snapshot>& there);

 private:
  Status copy_all(const std::vector<Snapshot>& wanted);
  Status plan(const std::vector<Snapshot>& wanted);
  // `turn`: its place among all that are wanted.
  Status copy_one(const Snapshot& source, CopyTurn turn);
  Status save_batch();
  // Saves a snapshot whose blobs are stored; returns it as it is in the destination.
  Result<Snapshot> save(const Snapshot& source);

  Repository& source_;
  Repository& destination_;
  const CopyOptions options_;
  CopyListener& listener_;
  RepositoryWriter writer_;
  BlobCopy blobs_;
  std::optional<SameKeyCopy> same_key_;  // only for repositories with one key
  CopiedSnapshots there_{{}};
  std::vector<Snapshot> batch_;     // copied, and not saved yet
  std::uint64_t stored_bytes_ = 0;  // when the batch began
  Deadline::Clock::time_point batch_begun_ = Deadline::Clock::now();
  std::size_t left_out_ = 0;
};

}  // namespace restree
