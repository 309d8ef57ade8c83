// What the mounted file system answers: names and attributes of the namespace above the snapshots
// and of the trees below, and the bytes of files. Knows nothing of FUSE.
//
// Parts of it stand alone: HiddenFiles, SnapshotList, ReadingAhead, FailureLog. Mount asks them and
// joins their answers.
//
// Ownership: the repository must outlive it. Owns the caches and the threads that read ahead.
// Threads:   any, many at once.
// Limits:    `memory_bytes` for decoded blobs, parsed trees and file layouts together, and for what
//            is fetched ahead where the storage is far away; a few words for each inode that the
//            kernel knows. Every call that may load ends within `time_limit`.
// Errors:    kNotFound: there is no such name or inode; never because something could not be read.
//            kCorrupt, kUnavailable: the data is damaged, or out of reach for now. FailureLog has
//            logged these, with snapshot and path, so the caller need not.
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/blob_room.h"
#include "cache/pack_fetcher.h"
#include "fs/ahead/files_ahead.h"
#include "fs/ahead/read_plan.h"
#include "fs/ahead/reading_ahead.h"
#include "fs/ahead/tree_source.h"
#include "fs/ahead/walk_ahead.h"
#include "fs/attributes.h"
#include "fs/hidden_files.h"
#include "fs/inodes.h"
#include "fs/known_nodes.h"
#include "fs/latest/followed_links.h"
#include "fs/latest/processes.h"
#include "fs/mount_answers.h"
#include "fs/namespace.h"
#include "fs/report/failure_log.h"
#include "fs/report/mount_status.h"
#include "fs/report/problems.h"
#include "fs/snapshot_list.h"
#include "fs/snapshot_view.h"
#include "fs/views_ahead.h"
#include "repo/base/outages.h"
#include "repo/repository.h"

namespace restree {

struct MountOptions {
  NamespaceOptions names;
  Ownership ownership;
  std::size_t memory_bytes = 64 << 20;
  std::chrono::milliseconds time_limit{60'000};
  std::size_t read_ahead_threads = 4;
  // The repository's source, if its storage is far away: the mount announces to it what will be
  // wanted. It must outlive the mount.
  PackFetcher* fetcher = nullptr;
  // Of the repository's storage; nullptr: nobody counts them.
  std::shared_ptr<const Outages> outages = nullptr;
  // Adds to the status what storage, cache and fetcher count; may be empty. Called by any thread.
  std::function<void(MountStatus&)> more_status;
  // Tells which process a thread belongs to; nullptr: asks this system.
  std::shared_ptr<Processes> processes;
};

// The share of `memory_bytes` for sealed bytes that are fetched ahead.
PackPieces::Budgets fetch_budgets(std::size_t memory_bytes);

class Mount {
 public:
  // Reads the index and the snapshots. Snapshots that cannot be read are logged and left out.
  static Result<std::unique_ptr<Mount>> open(Repository& repository, MountOptions options);

  using Found = FoundEntry;
  using Listing = EntryListing;
  using Slices = FileSlices;

  // Takes a reference to the inode, which forget() gives back.
  // nullopt: there is no such name; lasting_absence() says whether there never will be one.
  // `thread`: the thread that looks the name up, 0 if it cannot be seen from here. A link `latest`
  // leads all threads of a process to the snapshot to which it led the first of them
  // (followed_links.h). If that snapshot was forgotten meanwhile, the link names it all the same;
  // kNotFound if another snapshot has its name by now.
  Result<std::optional<Found>> lookup(std::uint64_t directory, std::string_view name,
                                      pid_t thread = 0);
  bool lasting_absence(std::uint64_t directory) const;
  void forget(std::uint64_t inode, std::uint64_t count);

  Result<Found> attributes(std::uint64_t inode);

  // Entries from `offset` on: 0, or the next_offset of the last entry received. Directories that
  // change are listed without attributes, since those may cost a look into every snapshot.
  Status list(std::uint64_t directory, std::uint64_t offset, bool with_attributes,
              Listing& listing);

  Result<std::string> link_target(std::uint64_t inode);

  // Up to `size` bytes; fewer only at the end of the file. If `next` of the answer names files, the
  // reader is served better if give_ahead() is called with them once it has its answer.
  Result<Slices> read(std::uint64_t inode, std::uint64_t offset, std::size_t size);

  // Passes the content of files that will probably be read next to `give`, which hands it to the
  // kernel; it returns whether to go on. Files that the kernel does not know, or whose bytes are not
  // at hand, are left to their readers. One caller at a time is served, the others return at once:
  // whoever waits in `give` for another answer to the kernel holds nobody up.
  using Give = std::function<bool(std::uint64_t inode, ByteView content)>;
  void give_ahead(const NextFiles& files, const Give& give);

  // The next byte from `offset` on that is data, or that lies in a hole (the end of the file counts
  // as one). nullopt: there is no such byte, or `offset` is past the end.
  Result<std::optional<std::uint64_t>> seek(std::uint64_t inode, std::uint64_t offset, bool data);

  Result<std::vector<std::string>> attribute_names(std::uint64_t inode);
  // nullopt: the inode has no such attribute.
  Result<std::optional<std::string>> attribute(std::uint64_t inode, std::string_view name);

  // The repository's size as what is used, and much that is free. From memory, at once.
  struct statvfs figures() const;

  using Changes = SnapshotList::Changes;
  // Looks for new and forgotten snapshots and for new indexes. One caller at a time.
  Result<Changes> refresh();

  std::size_t known_inodes() const { return inodes_.size(); }
  std::size_t known_nodes() const { return known_nodes_.size(); }

  // What .restree/status shows.
  MountStatus status() const;
  // What .restree/problems shows.
  const Problems& problems() const { return problems_; }

 private:
  Mount(Repository& repository, MountOptions options);

  // A node together with the tree that its views point into.
  struct Located {
    BlobId tree_id;
    SharedCompactTree tree;
    Node node;
    Place place;
  };

  Deadline deadline() const { return Deadline::after(options_.time_limit); }
  // From the newest namespace, or as the kernel still holds it.
  Result<std::shared_ptr<const VirtualNode>> virtual_node(std::uint64_t inode) const;
  // The link `latest` where it leads a process to this snapshot. `newest`: as it is in the namespace.
  static Result<VirtualNode> link_to(const FollowedLinks::Target& followed, const Namespace& space,
                                     const VirtualNode& newest);
  Result<std::uint32_t> view_of(const VirtualNode& node, Deadline by);

  struct Directory {
    BlobId tree;
    std::uint32_t view;
  };
  Result<Directory> directory_of(std::uint64_t inode, Deadline by);
  // The tree of a directory, whose damage is then reported as that directory's.
  Result<SharedCompactTree> load_tree(std::uint64_t directory, const BlobId& tree, Deadline by);
  Result<Located> locate(std::uint64_t inode, Deadline by);
  // The tree in which an entry is. nullopt: the kernel has forgotten the directory.
  std::optional<BlobId> tree_around(const Place& place) const;

  // The way from an outer directory down to an entry. `top`: the inode of that directory, which is
  // the snapshot's, unless the way has too many steps or the kernel has forgotten part of it.
  struct Way {
    std::uint64_t top;
    std::vector<WalkAhead::Step> steps;
  };
  Way way_to(std::uint64_t inode, std::size_t most_steps) const;
  // Where an entry is. Names come from memory: "?" for one that is not there.
  struct Whereabouts {
    std::shared_ptr<const Snapshot> snapshot = {};  // nullptr: above all snapshots, or forgotten
    std::string top = {};                           // the path of the snapshot in the mount
    std::string below = {};                         // the path below that
    std::string backed_up = {};                     // the path that was backed up
    bool is_forgotten = false;  // the entry, or its snapshot: `top` is not known then
  };
  Whereabouts whereabouts(std::uint64_t inode) const;
  // The same for log lines.
  std::string describe(std::uint64_t inode) const;
  // Logs a failure, and notes it if it is damage; returns it.
  Error fail(Error error, std::uint64_t inode, std::string_view doing);
  void note_problem(std::uint64_t inode, std::string what);
  void note_unreadable_files();
  // Calls `use` with the node behind the inode, or with nullptr where no backup recorded one.
  Status with_node(std::uint64_t inode, const std::function<void(const Node*)>& use);

  // The entry at `position` of a tree.
  Found show(const BlobId& tree, std::uint32_t position, const Node& node, std::uint64_t inode);
  Result<Found> show_virtual(const VirtualNode& node, std::uint32_t generation, Deadline by);
  Result<std::optional<Found>> take_virtual(const SnapshotList::Published& now,
                                            const VirtualNode& child, pid_t thread, Deadline by);
  Found take(std::uint64_t directory, const Directory& where, const Node& node,
             std::uint32_t position);
  std::uint64_t number_of(std::uint64_t directory, const Directory& where, const Node& node,
                          std::uint32_t position) const;
  Status collect(std::uint64_t inode, const Node& node, const FileLayout& layout, Ahead wanted,
                 Slices& slices);
  NextFiles files_after(std::uint64_t inode, const Located& file);
  // nullptr: it is not at hand.
  SharedBlob content_at_hand(const Node& small_file);
  bool is_own_ancestor(std::uint64_t directory, const BlobId& subtree);

  Status list_virtual(std::uint64_t directory, std::uint64_t offset, Listing& listing);
  Status list_tree(std::uint64_t directory, std::uint64_t offset, bool with_attributes,
                   Listing& listing, Deadline by);

  Repository& repository_;
  const MountOptions options_;
  BlobRoom blobs_;
  TreeSource trees_;
  FileLayouts layouts_;
  Inodes inodes_;
  KnownNodes known_nodes_;
  FollowedLinks followed_links_;
  SnapshotList snapshots_;
  SnapshotViews views_;
  std::atomic<std::uint64_t> reads_ = 0;
  std::atomic<std::uint64_t> served_bytes_ = 0;
  std::atomic<std::uint64_t> given_files_ = 0;
  std::atomic<bool> is_giving_ = false;
  FilesAhead files_ahead_;
  FailureLog failures_;
  Problems problems_;
  HiddenFiles hidden_files_;
  ViewsAhead views_ahead_;
  ReadingAhead reading_ahead_;  // these two last: their threads use what is above
};

}  // namespace restree
