// Watches where in which packs blobs are wanted, and decides which bytes to fetch ahead.
//
// Blobs that a backup has written together lie together and are read together: the files of a
// directory lie in a pack one after the other, and the trees below a directory before its own. So
// sequential reads in a pack (a run) are treated as a file system treats sequential reads in a
// file: the window of bytes to fetch grows as long as the run goes on, and a jump closes it. A
// window never grows beyond the bytes already used of the run, so that fewer bytes are fetched in
// vain than were wanted.
//
// Pure.
// Threads: one at a time.
// Limits:  remembers the most recent kMostRuns packs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>

#include "repo/format/id.h"
#include "repo/index/index.h"
#include "repo/storage/storage.h"

namespace restree {

class PackRuns {
 public:
  // Blobs from this size on are taken for chunks of large files, and each is fetched alone. Readers
  // that read such a file in order announce its chunks, from the file's own list; readers that jump
  // about in it want one chunk at a time.
  static constexpr std::uint32_t kLargeBlob = 384 << 10;

  // Notes that the blob at `place` is wanted; `missing` if it is neither in memory nor being
  // fetched. Returns the bytes of its pack that are worth fetching, including the blob if it is
  // missing; an empty range if none are. Some of the bytes may already be in memory.
  // `delay_product`: see LineEstimate.
  ByteRange note(const BlobLocation& place, BlobType type, bool missing, std::size_t delay_product);

  // Notes that the trees in this range are fetched before a reader has waited for them. Returns the
  // bytes around them that are worth fetching as well.
  ByteRange walk_on(const PackId& pack, ByteRange trees, std::size_t delay_product);

 private:
  static constexpr std::size_t kMostRuns = 256;
  struct Run {
    std::uint64_t reached = 0;  // the end of the wanted bytes
    std::uint64_t asked = 0;    // the end of the bytes returned as worth fetching
    std::uint64_t window = 0;
    std::uint64_t used = 0;
    std::uint64_t turn = 0;  // number of the last note() for this pack
    std::uint64_t end = 0;   // of the pack, as far as it is known
    std::list<PackId>::iterator place;
  };
  Run& run_of(const PackId& pack);
  static ByteRange around(Run& run, ByteRange trees, unsigned quarters_before,
                          std::size_t delay_product);
  static ByteRange onward(Run& run, const BlobLocation& place, bool missing,
                          std::size_t delay_product);

  std::unordered_map<PackId, Run> runs_;
  std::list<PackId> recent_;  // most recently wanted first
  std::uint64_t turn_ = 0;
};

}  // namespace restree
