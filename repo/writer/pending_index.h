// The packs that are stored but not yet named by an index file.
//
// A pack must be on the storage before an index names it, so it must be stored before add().
// Ownership: the repository must outlive it.
// Threads:   any. The thread whose pack makes an index due writes it; the others go on.
// Limits:    an index file is written for every 50,000 blobs, or when the oldest pack waits for
//            `longest_wait`: that is the most that is lost when the process is killed. Ten minutes are
//            restic's rule.
// Errors:    those of the storage; the packs then stay pending.
#pragma once

#include <chrono>
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
  static constexpr std::chrono::seconds kLongestWait = std::chrono::minutes(10);

  explicit PendingIndex(Repository& repository, std::chrono::seconds longest_wait = kLongestWait)
      : repository_(repository), longest_wait_(longest_wait) {}

  Status add(IndexedPack pack, Deadline by);
  // Writes an index file of the pending packs, if there are any.
  Status save(Deadline by);

 private:
  struct State {
    std::vector<IndexedPack> packs;
    std::size_t blobs = 0;
    Deadline::Clock::time_point oldest;
  };
  Status write(std::vector<IndexedPack> packs, Deadline by) EXCLUDES(state_);

  Repository& repository_;
  const std::chrono::seconds longest_wait_;
  Guarded<State> state_;
};

}  // namespace restree
