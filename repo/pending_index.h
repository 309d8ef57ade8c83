// Packs that are stored but that no index file names yet.
//
// A pack must be on the storage before an index names it, so this is told of it only then.
// Ownership: the repository must outlive it.
// Threads:   any. Whoever makes an index due writes it; the others go on.
// Limits:    an index file is written for every 50,000 blobs, or when the oldest pack waits for ten
//            minutes: restic's rule, and what a kill costs at most.
// Errors:    those of the storage; the packs then wait on.
#pragma once

#include <cstddef>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/format/index_file.h"
#include "repo/repository.h"

namespace restree {

class PendingIndex {
 public:
  explicit PendingIndex(Repository& repository) : repository_(repository) {}

  Status add(IndexedPack pack, Deadline by);
  // Writes what waits, if anything does.
  Status save(Deadline by);

 private:
  struct State {
    std::vector<IndexedPack> packs;
    std::size_t blobs = 0;
    Deadline::Clock::time_point oldest;
  };
  Status write(std::vector<IndexedPack> packs, Deadline by);

  Repository& repository_;
  Guarded<State> state_;
};

}  // namespace restree
