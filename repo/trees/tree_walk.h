// Walks through the trees of a snapshot in the order of names, each folder before its entries.
#pragma once

#include <functional>
#include <string>

#include "repo/base/result.h"
#include "repo/format/tree.h"
#include "repo/trees/trees_ahead.h"

namespace restree {

// Whether to walk into a folder.
enum class Descend { kYes, kNo };

struct TreeVisitor {
  // Called for each node, with the tree that contains it and its path from the root: "/srv/f". A
  // folder comes before its entries.
  std::function<Result<Descend>(const BlobId& parent, const std::string& path, const Node& node)>
      node;
  // Whether the walk will probably go into a folder. Called long before the folder's turn, so that
  // its tree can be loaded ahead. May be empty: then all folders are loaded. A wrong answer only
  // costs time.
  std::function<bool(const std::string& path, const Node& folder)> expects = {};
  // Called when the walk leaves a folder; not for the root. May be empty.
  std::function<Status(const std::string& path)> leave = {};
  // Called for a tree that cannot be read, which is then left out. If empty, such a tree ends the
  // walk.
  std::function<Status(const BlobId& tree, const Error& why)> unreadable = {};
};

// kCancelled: a stop was requested. kCorrupt: a tree is damaged or missing. Also errors that the
// visitor returns.
Status walk_tree(TreesAhead& trees, const BlobId& root, const TreeVisitor& visitor);

}  // namespace restree
