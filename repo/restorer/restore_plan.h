// The part of a snapshot that is to be restored: its folders, and the items in them.
//
// Ownership: keeps the trees, and so the nodes that it points to.
// Threads:   any, once made.
// Limits:    the parsed trees of all that is selected, and what the restore keeps of each path:
//            about 400 bytes a file. A tree can appear in any number of places, so that a small
//            repository can hold more paths than any memory: a plan that would take more than
//            RestoreOptions::plan_bytes is refused, before anything is made for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "repo/bulk/bulk_load.h"
#include "repo/format/tree.h"
#include "repo/restorer/restore_options.h"

namespace restree {

struct PlannedFolder {
  std::uint32_t parent = 0;
  const Node* node = nullptr;        // nullptr: the root, which is the target itself
  std::shared_ptr<const Tree> tree;  // nullptr: not wanted, or it could not be loaded
  bool selected = false;
  bool needed = false;  // selected, or something below it is
  // The tree is known in full: an entry that is not in it is not in the snapshot.
  bool complete = false;
  bool unreadable = false;  // the tree is wanted, and could not be loaded
};

struct PlannedItem {
  const Node* node;
  std::uint32_t folder;
};

class RestorePlan {
 public:
  using OnError = std::function<void(const std::string& location, const Error& error)>;

  // Loads all trees below `root` that `options.select` allows, level by level. A tree that cannot be
  // loaded is an error of its folder only. Errors: those of BulkLoader; kLocalIo: it is too large.
  static Result<RestorePlan> make(Repository& repository, const BlobId& root,
                                  const RestoreOptions& options, const BulkOptions& bulk,
                                  const OnError& on_error);

  // Depth first, parents before their children; 0 is the root.
  const std::vector<PlannedFolder>& folders() const { return folders_; }
  // The regular files, and all other items but sockets, which cannot be restored. In the order of
  // the folders, then by name.
  const std::vector<PlannedItem>& files() const { return files_; }
  const std::vector<PlannedItem>& others() const { return others_; }

  std::string location(std::uint32_t folder) const;
  std::string location(const PlannedItem& item) const;

 private:
  RestorePlan() = default;
  friend class RestorePlanner;

  std::vector<PlannedFolder> folders_;
  std::vector<PlannedItem> files_;
  std::vector<PlannedItem> others_;
};

}  // namespace restree
