// Rewrites snapshots: their trees by rules, and fields of their own.
//
// Order on the storage: packs with the new trees of many snapshots, then an index file, then, of each
// snapshot, its successor, and only then is the snapshot removed, if it is to go. A run that is cut
// short at any moment leaves each snapshot or its successor, or both.
// Ownership: the repository, its index loaded, the rules and the listener must outlive it.
// Threads:   one; it reads and stores with several of its own.
// Limits:    those of TreeRewriter and RepositoryWriter, and the remarks of some minutes' snapshots.
// Errors:    in `unable to rewrite snapshot ID "…"`: kCorrupt: its tree is damaged or missing, and the
//            rules do not do without it. kCancelled, and those of the storage. The snapshots before
//            that one are rewritten as far as that is possible.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/format/snapshot.h"
#include "repo/repository.h"
#include "repo/rewriter/rewritten_snapshot.h"
#include "repo/rewriter/tree_rewriter.h"
#include "repo/writer/repository_writer.h"

namespace restree {

struct RewriteOptions {
  SnapshotEdit edit = {};
  bool forget = false;   // the snapshots that have a successor
  bool dry_run = false;  // nothing is stored or removed
  Repeated repeated = Repeated::kKnown;
  RepositoryWriter::Options writer = {};
  std::chrono::seconds patience{900};  // for each request to the storage
  std::stop_token stop = {};
};

// Receives what is done. Called by the thread that rewrites. Of each snapshot, in order: begun(), its
// remarks, ended(), and then as many as come true of saved() and removed().
class RewriteListener {
 public:
  virtual ~RewriteListener() = default;

  virtual void beginning(std::size_t snapshots) = 0;
  // One more of them was looked at. Comes before what is said of it.
  virtual void looked_at() = 0;
  virtual void begun(const Snapshot& snapshot) = 0;
  virtual void remark(NodeRemark remark, const std::string& path, const std::string& type) = 0;
  // What becomes of it, or with a dry run would.
  virtual void ended(const Snapshot& snapshot, const SnapshotFate& fate) = 0;
  virtual void saved(const SnapshotId& successor) = 0;
  virtual void removed(const Snapshot& snapshot, const SnapshotFate& fate) = 0;
};

class SnapshotRewriter {
 public:
  // `rules`: nullptr if the trees stay as they are; they are not read then.
  SnapshotRewriter(Repository& repository, const TreeRules* rules, const RewriteOptions& options,
                   RewriteListener& listener);
  ~SnapshotRewriter();

  // Returns how many do not stay as they are.
  Result<std::size_t> rewrite(const std::vector<Snapshot>& snapshots);

 private:
  struct Remark {
    NodeRemark remark;
    std::string path;
    std::string type;
  };
  // A snapshot that was looked at, and for which nothing is changed yet.
  struct Decided {
    Snapshot snapshot;
    std::vector<Remark> remarks;
    SnapshotFate fate;
  };

  Status rewrite_all(const std::vector<Snapshot>& snapshots);
  Status decide(const Snapshot& snapshot);
  Status finish_batch();
  Status finish(const Decided& decided);
  void tell(const Decided& decided);

  Repository& repository_;
  const RewriteOptions options_;
  RewriteListener& listener_;
  RepositoryWriter writer_;
  TreesAhead trees_;
  std::unique_ptr<TreeRewriter> rewriter_;  // nullptr without rules
  std::vector<Remark> remarks_;             // of the current snapshot
  std::vector<Decided> batch_;
  Deadline::Clock::time_point batch_begun_ = Deadline::Clock::now();
  std::size_t changed_ = 0;
};

}  // namespace restree
