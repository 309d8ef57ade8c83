// One snapshot as one directory of the mount shows it: which of its trees is at the top, and which
// node gives that directory its attributes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "fs/ahead/tree_source.h"
#include "fs/namespace.h"
#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/format/snapshot.h"

namespace restree {

struct SnapshotView {
  std::shared_ptr<const Snapshot> snapshot;
  std::string path;           // of the directory, from the root of the mount
  std::uint64_t root_inode;   // of the directory
  BlobId tree;                // of the directory's entries
  std::string stripped_path;  // leading path inside the snapshot that is not shown; may be empty

  // The node whose attributes the directory takes: where the shown tree hangs in the tree above.
  // Empty if the snapshot's root tree itself is shown, since that has no node.
  struct OwnNode {
    SharedCompactTree tree;
    Node node;  // whose views point into the tree
  };
  std::optional<OwnNode> own;

  // The tree is that of a folder of which the snapshot does not know the mode and owner, as after a
  // backup of "." or of names in the current folder. Only of a view without the leading path.
  bool is_of_unknown_folder = false;
};

// The view that shows the whole tree, or the one without the leading path of the targets: the
// longest folder that all of them lie in, as much of its end as the tree has. A folder that holds
// anything else beside the way to the targets ends the stripping, so nothing is ever hidden.
Result<SnapshotView> open_view(TreeSource& trees, std::shared_ptr<const Snapshot> snapshot,
                               bool without_leading_path, Deadline by);

// The views that were opened, each under a number for as long as the mount lasts.
//
// Ownership: the trees must outlive it.
// Threads:   any.
// Limits:    one view for each snapshot's directory that was ever opened.
// Errors:    those of open_view().
class SnapshotViews {
 public:
  explicit SnapshotViews(TreeSource& trees) : trees_(trees) {}

  // The number of the view in a snapshot's directory, which the first call opens.
  Result<std::uint32_t> number_of(const VirtualNode& directory, Deadline by);
  // Whether number_of() has the answer.
  bool knows(std::uint64_t directory) const {
    return opened_.lock()->by_directory.contains(directory);
  }
  // `number`: one that number_of() has returned.
  std::shared_ptr<const SnapshotView> at(std::uint32_t number) const;

 private:
  struct Opened {
    std::vector<std::shared_ptr<const SnapshotView>> all;
    std::unordered_map<std::uint64_t, std::uint32_t> by_directory;
  };
  TreeSource& trees_;
  Guarded<Opened> opened_;
};

}  // namespace restree
