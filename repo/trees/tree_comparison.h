// Compares two trees, folder by folder: which entries differ, and what each side has that the other
// does not.
//
// Ownership: the repository must outlive the call.
// Threads:   the listener is called by the calling thread.
// Limits:    memory for the ids of all blobs of both trees.
// Errors:    kCancelled: a stop was requested. kCorrupt: a tree is damaged or missing, and either it
//            is one of the two roots or the listener has no `damaged`. Others: those of
//            Repository::load.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/repository.h"
#include "repo/trees/trees_ahead.h"

namespace restree {

// How an entry of one tree differs from the entry of that name in the other tree.
struct EntryChange {
  bool added = false;
  bool removed = false;
  bool type = false;
  bool content = false;
  // The content differs although size, times and all other fields are the same: a sign of bit rot.
  bool content_alone = false;
  // Any field differs. Only with Metadata::kCompared, and not for files whose content differs.
  bool metadata = false;
};

struct ComparisonListener {
  // Called for each entry that differs, in the order of names, a folder before its entries. The path
  // begins with a slash, and that of a folder ends with one. May be empty.
  std::function<void(const std::string& path, const EntryChange& change)> change = {};
  // Called for a tree that cannot be read, after which the comparison goes on behind its folder. If
  // empty, such a tree ends the comparison.
  std::function<void(const Error& why)> damaged = {};
  // Called for a blob that no index names: the sum of bytes lacks it. May be empty.
  std::function<void(BlobType type, const BlobId& id)> unknown_size = {};
};

// What only one of the two trees has.
struct OneSidedFigures {
  std::uint64_t files = 0;
  std::uint64_t dirs = 0;
  std::uint64_t others = 0;
  std::uint64_t data_blobs = 0;
  std::uint64_t tree_blobs = 0;
  std::uint64_t bytes = 0;  // of these blobs, decoded
};

struct ComparisonFigures {
  std::uint64_t changed_files = 0;  // their content is another one
  OneSidedFigures added;            // only in the second tree
  OneSidedFigures removed;          // only in the first tree
};

// Whether entries count as changed that differ in nothing but their metadata.
enum class Metadata { kIgnored, kCompared };

Result<ComparisonFigures> compare_trees(Repository& repository, const BlobId& before,
                                        const BlobId& after, Metadata metadata,
                                        TreesAheadOptions options,
                                        const ComparisonListener& listener);

}  // namespace restree
