// Goes through the trees of a snapshot in the order of their names, folders before what they hold.
#pragma once

#include <functional>
#include <string>

#include "repo/base/result.h"
#include "repo/format/tree.h"
#include "tools/trees_ahead.h"

namespace restree {

// Whether to go into a folder.
enum class Descend { kYes, kNo };

struct TreeVisitor {
  // Each node, with the tree that it stands in and its path from the root: "/srv/f". A folder comes
  // before what is in it.
  std::function<Result<Descend>(const BlobId& parent, const std::string& path, const Node& node)>
      node;
  // Whether the walk will probably go into a folder, asked long before the folder's turn: if so,
  // its tree is loaded ahead. Empty: into all of them. A wrong answer costs time only.
  std::function<bool(const std::string& path, const Node& folder)> expects = {};
  // The walk has left a folder that it had gone into; not called for the root. May be empty.
  std::function<Status(const std::string& path)> leave = {};
  // A tree that cannot be read is left out; without this it ends the walk.
  std::function<Status(const BlobId& tree, const Error& why)> unreadable = {};
};

// kCancelled: a stop was requested. kCorrupt: a tree is damaged or missing. And what the visitor
// returns.
Status walk_tree(TreesAhead& trees, const BlobId& root, const TreeVisitor& visitor);

}  // namespace restree
