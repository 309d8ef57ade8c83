// Watches where in which packs blobs are wanted, and says which bytes are worth having now.
//
// What a backup has written together lies together, and is read together: the files of a directory
// lie in a pack one after the other, and the trees below a directory before its own. So a run is
// followed through a pack as a file system follows a reader through a file: going on makes the
// window grow, a leap closes it. A window never grows beyond what has been used of the run, so that
// what is fetched in vain stays less than what was wanted.
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
  // Chunks of large files come from here on. Those who read such a file in order say so (the file's
  // list of chunks is better knowledge), and those who leap about in it want one chunk each: it
  // comes alone.
  static constexpr std::uint32_t kLargeBlob = 384 << 10;

  // The blob at `place` is wanted; `missing` if it is neither here nor on its way. Which bytes of
  // its pack are worth having, itself among them if it is missing; empty if none.
  // `delay_product`: see LineEstimate. The bytes may be here already.
  ByteRange note(const BlobLocation& place, BlobType type, bool missing, std::size_t delay_product);

  // Trees in this range are asked for before anybody has waited for them. Which bytes around them
  // are worth having as well.
  ByteRange walk_on(const PackId& pack, ByteRange trees, std::size_t delay_product);

 private:
  static constexpr std::size_t kMostRuns = 256;
  struct Run {
    std::uint64_t reached = 0;  // the end of what was wanted
    std::uint64_t asked = 0;    // the end of what was said to be worth having
    std::uint64_t window = 0;
    std::uint64_t used = 0;
    std::uint64_t turn = 0;  // when something was wanted last
    std::uint64_t end = 0;   // of the pack, as far as it is known
    std::list<PackId>::iterator place;
  };
  Run& run_of(const PackId& pack);
  static ByteRange around(Run& run, ByteRange trees, unsigned quarters_before,
                          std::size_t delay_product);
  static ByteRange onward(Run& run, const BlobLocation& place, bool missing,
                          std::size_t delay_product);

  std::unordered_map<PackId, Run> runs_;
  std::list<PackId> recent_;  // front: wanted last
  std::uint64_t turn_ = 0;
};

}  // namespace restree
