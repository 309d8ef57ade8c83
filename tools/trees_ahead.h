// Loads trees before they are asked for, several at a time, for who asks for them one by one.
//
// Over a line every tree costs a round trip; whoever walks knows long before which come next.
// Ownership: the repository must outlive it. The destructor waits for loads that are under way.
// Threads:   one calls; loads run on threads of its own.
// Limits:    kBudgetBytes of decoded trees; kThreads loads at a time, of the next kWindow trees.
// Errors:    those of Repository::load, told to who asks for that tree.
#pragma once

#include <cstddef>
#include <unordered_set>
#include <vector>

#include "cache/blob_cache.h"
#include "repo/base/guarded.h"
#include "repo/base/thread_pool.h"
#include "repo/repository.h"

namespace restree {

class TreesAhead {
 public:
  static constexpr std::size_t kThreads = 8;
  static constexpr std::size_t kWindow = 32;
  static constexpr std::size_t kBudgetBytes = 16 << 20;

  // `patience`: for a load that nobody waits for yet.
  TreesAhead(Repository& repository, Deadline::Clock::duration patience);

  // These will be asked for in this order, before all that were announced earlier. What is skipped
  // over in asking is forgotten.
  void announce(std::vector<BlobId> trees);
  Result<SharedBlob> load(const BlobId& tree, Deadline by);

  // How many announcements are not done with, and back to so many.
  std::size_t announcements() const { return announced_.size(); }
  void forget_since(std::size_t announcements) {
    if (announcements < announced_.size()) announced_.resize(announcements);
  }

 private:
  struct Announcement {
    std::vector<BlobId> trees;
    std::size_t next = 0;
  };
  void pass(const BlobId& tree);
  void load_on();

  Repository& repository_;
  const Deadline::Clock::duration patience_;
  BlobCache cache_;
  std::vector<Announcement> announced_;  // the last one comes first
  Guarded<std::unordered_set<BlobId>> queued_;
  ThreadPool pool_;  // last: its threads use the others
};

}  // namespace restree
