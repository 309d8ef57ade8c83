// Brings back blobs that snapshots need and a repository lacks, from a second repository.
//
// The trees of the snapshots are walked; a tree that this repository lacks is taken from the second
// one, so that what lies below it is looked for too. Blobs are the same in every repository: an id is
// the hash of the content, which is compared. They are stored anew, sealed with this repository's key.
//
// Only what no index names, what lies in packs that are lost, and trees that cannot be read count as
// missing: whether data in a pack is whole shows only when it is read, and repair_packs() does that.
//
// Ownership: both repositories, their indexes loaded, must outlive the call. This one must be locked
//            so that it can be written to.
// Threads:   one calls; several read and store.
// Limits:    memory: the ids of all trees that are walked and of the blobs that are missing, and
//            what BulkLoader and RepositoryWriter take.
// Errors:    kCancelled, and those of the storages. What is stored until then is indexed, so that
//            the next run need not store it again.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "repo/base/result.h"
#include "repo/bulk/bulk_load.h"
#include "repo/format/tree.h"
#include "repo/repository.h"
#include "repo/writer/repository_writer.h"

namespace restree {

// Whether the repository has a blob, as far as its index and its list of packs say.
using HasBlob = std::function<bool(BlobType type, const BlobId& id)>;

// The blobs of data that the files of a tree need and that are not there, each as often as it is
// named.
std::vector<BlobId> missing_data(const Tree& tree, const HasBlob& is_there);

struct RetrievalOptions {
  RepositoryWriter::Options writer = {};  // with the packs that are lost
  BulkOptions bulk = {};
  // By several threads: the second repository does not have it either.
  std::function<void(BlobType type, const BlobId& id, const Error& why)> on_lost = {};
};

struct Retrieval {
  std::size_t retrieved = 0;  // blobs
  std::uint64_t bytes = 0;    // of them, as plaintext
  std::size_t lost = 0;       // blobs that neither repository has
};

// `roots`: the trees of the snapshots.
Result<Retrieval> retrieve_blobs(Repository& repository, Repository& second,
                                 const std::vector<BlobId>& roots, const RetrievalOptions& options);

}  // namespace restree
