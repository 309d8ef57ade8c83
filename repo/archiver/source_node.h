// The metadata of one object in the file system, from which the node in a tree is made.
//
// Ownership: its own strings, except for the names of user and group, which OwnerNames owns.
// Threads:   one at a time.
// Errors:    an extended attribute that could not be read is left out, with an entry in
//            `complaints`.
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
  bool with_atime = false;  // false: the mtime is recorded as the access time too
  std::string_view user;
  std::string_view group;
  std::string link_target;
  struct Xattr {
    std::string name;
    std::string value;
    bool has_value;  // false: the attribute vanished while it was being read
  };
  std::vector<Xattr> xattrs;
  std::uint64_t size = 0;         // files: bytes that were read
  std::vector<BlobId> content;    // files
  std::optional<BlobId> subtree;  // directories
  std::vector<Error> complaints;

  // The node's views point into this object and into `xattr_views`.
  Node view(std::vector<ExtendedAttribute>& xattr_views) const;
};

// nullopt for types that a snapshot cannot hold: sockets and unknown types.
std::optional<NodeType> node_type(mode_t mode);

// Where an object is: `name` in an open directory, or a path with AT_FDCWD.
struct SourcePlace {
  int folder_fd;
  std::string name;
};

// Makes the node of the object at `place`. `attributes`: from lstat or fstat of the object; `name`:
// its name in the tree; `path`: for messages. Content and subtree are set later. kNotFound: the
// object is a symlink that no longer exists.
Result<SourceNode> read_source_node(const SourcePlace& place, const struct stat& attributes,
                                    std::string name, const std::string& path, bool with_atime,
                                    OwnerNames& owners);

}  // namespace restree
