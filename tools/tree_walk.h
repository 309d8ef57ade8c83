// Goes through the trees of a snapshot in the order of their names, folders before what they hold.
#pragma once

#include <functional>
#include <string>

#include "repo/base/result.h"
#include "repo/format/tree.h"
#include "tools/session.h"
#include "tools/trees_ahead.h"

namespace restree {

// Of a folder: whether to go into it.
enum class Descend { kYes, kNo };

struct TreeVisitor {
  // Each node, with the tree that it stands in and its path from the root: "/srv/f". Before what is
  // inside of it.
  std::function<Result<Descend>(const BlobId& parent, const std::string& path, const Node& node)>
      node;
  // Whether a folder looks as if it will be gone into, long before its turn: then its tree is
  // loaded ahead. Empty: all do. It may be wrong.
  std::function<bool(const std::string& path, const Node& folder)> expects = {};
  // A folder that was gone into is done; not for the root. May be empty.
  std::function<Status(const std::string& path)> leave = {};
  // A tree that cannot be read is left out; without this it ends the walk.
  std::function<Status(const BlobId& tree, const Error& why)> unreadable = {};
};

// kCancelled: the session was told to stop. kCorrupt: a tree is damaged or missing. And what the
// visitor returns.
Status walk_tree(Session& session, TreesAhead& trees, const BlobId& root,
                 const TreeVisitor& visitor);

Result<std::shared_ptr<const Tree>> load_tree(Session& session, TreesAhead& trees,
                                              const BlobId& id);

}  // namespace restree
