// Which blobs the snapshots of a repository use, as an earlier prune has found out. With it a prune that
// goes on where another was killed need not walk through all trees again.
//
// Snapshots and trees are named by hashes of their content, so what was found out is true whatever has
// happened to the index since. It is of use as long as all of these snapshots are there: that of one
// which is gone would keep what only it used. Of the ids only the beginnings are kept: two that begin
// alike would keep a blob too many, and none is ever missed.
//
// Format: integers are the machine's own; the whole is sealed with the repository's key.
//   marks := "rrmarks1"  snapshots:u64 data:u64 trees:u64
//            snapshot id:byte[32]*  beginning of a data blob's id:byte[8]*  of a tree's:byte[8]*
//   Each list is sorted, the last two as integers.
// Threads: any. Limits: 8 bytes a blob.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/index/whole_index.h"
#include "repo/repository.h"

namespace restree {

struct KeptMarks {
  std::vector<SnapshotId> snapshots;
  std::vector<std::uint64_t> data;
  std::vector<std::uint64_t> trees;
};

// `used`: by the position of the blob's first entry in the index.
KeptMarks collect_marks(std::vector<SnapshotId> snapshots, const std::vector<bool>& used,
                        const WholeIndex& index);
Bytes write_marks(const KeptMarks& marks);
// kCorrupt: not the format above.
Result<KeptMarks> parse_marks(ByteView bytes);
// The same sealed with the repository's key. kCorrupt also: it does not authenticate.
Result<Bytes> seal_marks(const Repository& repository, const KeptMarks& marks);
Result<KeptMarks> open_marks(const Repository& repository, Bytes sealed);

// The marks as they were collected. nullopt: the index lacks a blob that is in use, which only a walk
// can say more about.
std::optional<std::vector<bool>> apply_marks(const KeptMarks& marks, const WholeIndex& index);

}  // namespace restree
