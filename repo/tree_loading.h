// Loads trees from a source of blobs.
//
// Threads: any.
// Errors:  kCorrupt, naming the tree: the blob is not a tree. Others: those of BlobSource::load.
#pragma once

#include <optional>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/blob_source.h"
#include "repo/format/id.h"
#include "repo/format/tree.h"

namespace restree {

// For a caller that has loaded the blob itself. It must look at Tree::stand_in().
Result<SharedTree> parse_tree(const BlobId& id, ByteView json);

// The tree to show under this id: its stand-in, if it has one.
Result<SharedTree> load_tree(BlobSource& blobs, const BlobId& id, Deadline by);

// The same with a source of one's own. `load` is called with `id`, and with that of a stand-in.
template <class Load>
Result<SharedTree> follow_stand_ins(const BlobId& id, Load load) {
  ASSIGN_OR_RETURN(SharedTree tree, load(id));
  const std::optional<BlobId> stand_in = tree->stand_in();
  if (!stand_in) return tree;
  // Once: the first restic has not nested them, and a hostile repository could for ever.
  return load(*stand_in);
}

// The id of the tree to show for a snapshot's root: that of its stand-in, if it has one.
Result<BlobId> find_root(BlobSource& blobs, const BlobId& root, Deadline by);

// As load_tree(), for a caller to which a part of a tree is of no use: a tree of which the parser
// has refused a node for more than its type (a hostile name, a second node of the same name) is
// kCorrupt. Nodes that are odd but shown are named in the log.
Result<SharedTree> load_whole_tree(BlobSource& blobs, const BlobId& id, Deadline by);

}  // namespace restree
