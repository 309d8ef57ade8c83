// Loads trees ahead, several at a time, for a walk that needs them one by one.
//
// From a remote storage every tree costs a round trip, and a walk knows long before which trees it
// will need.
// Ownership: the repository must outlive it. The destructor waits for loads under way.
// Threads:   one calls; loads run on threads of its own.
// Limits:    kBudgetBytes of decoded trees; kThreads loads at a time, of the next kWindow trees.
// Errors:    those of Repository::load, returned by the load() of that tree.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/thread_pool.h"
#include "repo/blob_cache.h"
#include "repo/format/tree.h"
#include "repo/repository.h"

namespace restree {

struct TreesAheadOptions {
  Deadline::Clock::duration patience;  // for one load, retries included
  std::stop_token stop = {};           // ends a walk, with kCancelled
  // Called for each node that the parser of a tree refused; may be empty. The walk goes on without
  // the node.
  std::function<void(const BlobId& tree, const std::string& why)> on_refused = {};
};

class TreesAhead {
 public:
  static constexpr std::size_t kThreads = 8;
  static constexpr std::size_t kWindow = 32;
  static constexpr std::size_t kBudgetBytes = 16 << 20;

  TreesAhead(Repository& repository, TreesAheadOptions options);

  // The walk will load these trees in this order, before all trees announced earlier. It may skip
  // trees: those before the one that it loads are forgotten.
  void announce(std::vector<BlobId> trees);
  Result<SharedBlob> load(const BlobId& tree, Deadline by);
  // The same with the patience as the deadline.
  Result<SharedBlob> load(const BlobId& tree) {
    return load(tree, Deadline::after(options_.patience));
  }
  // The same again, parsed, or its stand-in. kCorrupt: also if the blob
  // is not a tree.
  Result<SharedTree> load_tree(const BlobId& tree);

  // kCancelled once a stop is requested.
  Status go_on() const;

  // How many announcements are not finished; forget_since() drops the later ones.
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
  const TreesAheadOptions options_;
  BlobCache cache_;
  std::vector<Announcement> announced_;  // the last one comes first
  Guarded<std::unordered_set<BlobId>> queued_;
  ThreadPool pool_;  // last member, since its threads use the others
};

}  // namespace restree
