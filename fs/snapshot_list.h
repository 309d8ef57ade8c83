// The snapshots that a mount shows, and the namespace that they make.
//
// New snapshots are loaded with load() and shown with publish(): the caller can load the index in
// between, so that no snapshot is shown whose files cannot be read yet. Each namespace has a
// number, its generation. A few old namespaces are kept, so that a listing that began in one goes
// on in it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fs/namespace.h"
#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/identity.h"
#include "repo/repository.h"

namespace restree {

// Ownership: the repository must outlive it. A namespace that was handed out stays valid.
// Threads:   any; load() and publish() are called by one thread at a time.
// Limits:    kKeptNamespaces; kParallelSnapshots are loaded at a time.
// Errors:    of load(): those of Repository::list_snapshots, and kUnavailable, after which the next
//            load() tries the new snapshots again. A snapshot that cannot be read otherwise is
//            logged once, left out, and tried again by every load().
class SnapshotList {
 public:
  // A listing that began four changes ago goes on in the newest namespace.
  static constexpr std::size_t kKeptNamespaces = 4;
  static constexpr std::size_t kParallelSnapshots = 8;

  SnapshotList(Repository& repository, NamespaceOptions options);

  // Looks which snapshots there are, and loads those that are new.
  Status load(Deadline by);

  // What the kernel has to forget when one namespace replaces another.
  struct Changes {
    std::vector<std::uint64_t> directories;
    struct Name {
      std::uint64_t directory;
      std::string name;
    };
    std::vector<Name> gone;  // no longer there, or another inode now
  };
  // Builds the namespace of the snapshots that are loaded and makes it the newest. Without a change
  // since the last one, that stays the newest. The first one has generation 0. Snapshots that are dated
  // in the future of `now` are no latest ones, which is logged once of each.
  Changes publish(Timestamp now = wall_clock_now());

  struct Published {
    std::shared_ptr<const Namespace> space;
    std::uint32_t generation;
  };
  // For these two, publish() must have been called.
  Published newest() const;
  // The namespace of a generation, of which the lowest kGenerationBits are given; the newest, if
  // that one is no longer kept.
  static constexpr int kGenerationBits = 31;
  Published of_generation(std::uint32_t generation) const;

  // The snapshots that the last load() could not read, each with the reason. For the thread that calls
  // load().
  using Unreadable = std::unordered_map<SnapshotId, std::string>;
  const Unreadable& unreadable() const { return unreadable_; }

  // When the storage listed the snapshots last; nullopt if it never did.
  std::optional<std::chrono::system_clock::time_point> listed() const { return *listed_.lock(); }

 private:
  struct Spaces {
    std::deque<std::shared_ptr<const Namespace>> kept;  // back: the newest
    std::uint32_t generation = 0;                       // of the newest
  };

  void forget_all_but(const std::vector<SnapshotId>& listed);
  Status load_new(const std::vector<SnapshotId>& ids, Deadline by);
  void look_at_dates(Timestamp now);
  void log_unreadable(const SnapshotId& id, const Error& error) const;

  Repository& repository_;
  const NamespaceOptions options_;

  // Only load() and publish() use these.
  std::unordered_map<SnapshotId, std::shared_ptr<const Snapshot>> readable_;
  Unreadable unreadable_;
  bool has_changed_ = true;                   // since the newest namespace was built
  std::unordered_set<SnapshotId> of_future_;  // as of the last publish()

  Guarded<Spaces> spaces_;
  Guarded<std::optional<std::chrono::system_clock::time_point>> listed_;
};

}  // namespace restree
