// Opens the snapshots of a directory all at once for a program that goes through them.
//
// `ls -l` in apps/NAME asks for the attributes of one snapshot after the other, and each of them
// takes a few round trips to the storage. A program that has listed a directory and then looks up
// two snapshots in it will look up the others as well; one that only looks up one has chosen it.
//
// Ownership: the views must outlive it. Owns the threads that load.
// Threads:   any; no call waits.
// Limits:    kAtOnce snapshots at a time, of one directory after the other; each within `time_limit`.
// Errors:    none: a program that asks for what could not be loaded gets the error itself.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "fs/namespace.h"
#include "fs/snapshot_view.h"
#include "repo/base/guarded.h"
#include "repo/base/thread_pool.h"

namespace restree {

class ViewsAhead {
 public:
  static constexpr std::size_t kAtOnce = 32;

  ViewsAhead(SnapshotViews& views, std::chrono::milliseconds time_limit);
  ~ViewsAhead();

  // A program lists the directory from its beginning.
  void directory_is_listed(std::uint64_t directory);
  // A program asks for the attributes of a snapshot.
  void snapshot_is_shown(const std::shared_ptr<const Namespace>& space,
                         const VirtualNode& snapshot);

 private:
  static constexpr std::size_t kMostListed = 1024;
  static constexpr std::size_t kMostWaiting = 16;

  void open_all(const Namespace& space, std::uint64_t directory);

  SnapshotViews& views_;
  const std::chrono::milliseconds time_limit_;
  std::atomic<bool> ending_ = false;
  // Directories that were listed, and how many unopened snapshots in them were shown since then.
  Guarded<std::unordered_map<std::uint64_t, unsigned>> listed_;
  ThreadPool opener_;  // last: its thread uses what is above
};

}  // namespace restree
