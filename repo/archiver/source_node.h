// What the file system says of one object, as the node that a tree will hold.
//
// Ownership: its own strings, except for the names of user and group, which are OwnerNames'.
// Threads:   one at a time.
// Errors:    complaints: an extended attribute that could not be read is left out, and said.
// Format:    restic's nodes; see tree.h.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "repo/archiver/owner_names.h"
#include "repo/base/result.h"
#include "repo/format/tree.h"

namespace restree {

struct SourceNode {
  std::string name;
  NodeType type = NodeType::kFile;
  struct stat attributes {};
  bool with_atime = false;  // otherwise the time of access is recorded as that of the change
  std::string_view user;
  std::string_view group;
  std::string link_target;
  struct Xattr {
    std::string name;
    std::string value;
    bool has_value;  // false: it vanished while it was asked for
  };
  std::vector<Xattr> xattrs;
  std::uint64_t size = 0;         // files: bytes that were read
  std::vector<BlobId> content;    // files
  std::optional<BlobId> subtree;  // directories
  std::vector<Error> complaints;

  // Its views point into this and into `xattr_views`.
  Node view(std::vector<ExtendedAttribute>& xattr_views) const;
};

// nullopt for what no snapshot holds: sockets, and types unknown.
std::optional<NodeType> node_type(mode_t mode);

// Where an object is: `name` in an open directory, or a path with AT_FDCWD.
struct SourcePlace {
  int folder_fd;
  std::string name;
};

// The node of the object at `place` that `attributes` (of lstat or fstat) belong to. `name` is what
// the tree calls it, `path` what messages do. Content and subtree are left for later.
// kNotFound: a symlink that is gone.
Result<SourceNode> read_source_node(const SourcePlace& place, const struct stat& attributes,
                                    std::string name, const std::string& path, bool with_atime,
                                    OwnerNames& owners);

}  // namespace restree
