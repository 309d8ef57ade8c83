// The directories above the snapshots: which snapshots there are, sorted into views by app, id,
// time, host and tag or as templates say, each under a name that a directory can hold.
//
// Pure values: built from a list of snapshots, never changed, replaced as a whole when the list
// changes. Threads: any.
// Limits: a few hundred bytes for each snapshot in each view.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fs/path_templates.h"
#include "repo/format/snapshot.h"
#include "repo/snapshots/app_names.h"
#include "repo/snapshots/snapshot_filter.h"

namespace restree {

struct NamespaceOptions {
  std::string time_template{kDefaultTimeTemplate};  // strftime(3), in UTC
  // Instead of the views by id, time, host and tag. The view by app stays, unless one of them begins
  // with its name.
  std::vector<PathTemplate> path_templates;
  SnapshotFilter filter;
};

struct VirtualNode {
  enum class Kind : std::uint8_t { kDirectory, kSymlink, kSnapshot };

  Kind kind;
  std::uint64_t inode;   // the same at every mount: a hash of its place and its identity
  std::uint64_t parent;  // the root is its own
  Timestamp time;        // of the snapshot; of directories, the newest inside
  std::string path;      // from the root of the mount, for log lines
  std::map<std::string, std::uint64_t> children;  // directories: name -> inode
  std::string target;                             // symlinks
  std::uint64_t target_inode = 0;                 // symlinks: of the snapshot that has that name
  std::shared_ptr<const Snapshot> snapshot;       // snapshots
  bool without_leading_path = false;  // snapshots: show what lies below their targets' folder
};

class Namespace {
 public:
  static constexpr std::uint64_t kRootInode = 1;

  // `now`: a link `latest` leads to a snapshot that is dated in the future of then only where there is no
  // other.
  static std::shared_ptr<const Namespace> build(
      std::vector<std::shared_ptr<const Snapshot>> snapshots, const NamespaceOptions& options,
      Timestamp now);

  const VirtualNode& root() const { return *find(kRootInode); }
  // nullptr if there is no node of that number (any more).
  const VirtualNode* find(std::uint64_t inode) const;
  const VirtualNode* child(const VirtualNode& directory, std::string_view name) const;
  void for_each(const std::function<void(const VirtualNode&)>& visit) const;

  // The part of a link's inode number that depends on its target: the kernel may keep the target of
  // an inode for ever, so a link with another target needs another number.
  static std::string link_identity(std::string_view target);

 private:
  friend class NamespaceBuilder;
  Namespace() = default;
  std::unordered_map<std::uint64_t, VirtualNode> nodes_;
};

// The longest folder that all of the snapshot's targets lie in, as path components; a single target
// is itself that folder.
std::vector<std::string> common_folder(const std::vector<std::string>& paths);

}  // namespace restree
