// Takes damaged packs out of a repository: what is whole in them is stored again.
//
// First a copy of each pack's file is saved in a local folder. Then each blob that the index or the
// pack's own header names is read. What the pack does not give is taken from any other pack that
// holds it, from the cache, or from a second repository. New packs and index files are stored before an old index file goes, and
// the old index files are gone before a pack goes: whatever ends it, nothing is lost that could be
// read before, and it can be run again.
//
// Ownership: the repository must outlive it, with its index loaded; it must be locked exclusively.
// Threads:   one calls, and is called back; several read.
// Limits:    a request to the storage takes no longer than `patience`. Memory: a few blobs, the blobs'
//            places in the index, the largest index file, and what RepositoryWriter takes.
// Errors:    those of save_pack_copy(). kCorrupt: an index file is damaged. kCancelled once a stop is
//            requested. Others: those of the storage. All packs are still there then.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <stop_token>

#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/repository.h"
#include "repo/writer/repository_writer.h"

namespace restree {

enum class PackRepairStep : std::uint8_t {
  kSavingCopies,
  kSalvaging,
  kWritingIndex,
  kRemovingIndexes,
  kRemovingPacks,
};

struct PackRepairOptions {
  // Where the copies of the packs go.
  std::filesystem::path folder = {};
  // They are temporary files instead: the storage itself keeps what is removed.
  bool copies_are_temporary = false;
  // Where blobs are looked for that can be read from no place here; must outlive the call.
  BlobSource* second = nullptr;
  RepositoryWriter::Options writer = {};
  std::chrono::seconds patience = std::chrono::minutes(15);
  std::stop_token stop = {};

  // A step begins or ends, with so many packs or index files.
  std::function<void(PackRepairStep step, std::size_t total)> on_begin = {};
  std::function<void(PackRepairStep step, std::size_t total)> on_end = {};
  // So many bytes of a pack cannot be read, and are zeros in its copy.
  std::function<void(const PackId& pack, std::uint64_t unread_bytes, const Error& why)> on_unread =
      {};
  // The index does not name what the pack's header names.
  std::function<void(const PackId& pack)> on_incomplete_index = {};
  // Neither index nor header name any blob of it.
  std::function<void(const PackId& pack)> on_empty = {};
  // The blob can be read from nowhere.
  std::function<void(const BlobId& blob, const Error& why)> on_lost = {};
  // The pack cannot be removed, which costs space only.
  std::function<void(const PackId& pack, const Error& why)> on_not_removed = {};
};

struct PackRepair {
  std::size_t blobs_saved = 0;
  std::size_t blobs_retrieved = 0;  // of these, from the second repository
  std::size_t blobs_lost = 0;
  std::size_t index_files_removed = 0;
};

Result<PackRepair> repair_packs(Repository& repository, const std::set<PackId>& packs,
                                const PackRepairOptions& options);

}  // namespace restree
