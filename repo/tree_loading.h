// Loads trees from a source of blobs.
//
// Threads: any.
// Errors:  kCorrupt, naming the tree: the blob is not a tree. Others: those of BlobSource::load.
#pragma once

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/blob_source.h"
#include "repo/format/id.h"
#include "repo/format/tree.h"

namespace restree {

// For a caller that has loaded the blob itself.
Result<SharedTree> parse_tree(const BlobId& id, ByteView json);

Result<SharedTree> load_tree(BlobSource& blobs, const BlobId& id, Deadline by);

// The same for a caller to which a part of a tree is of no use: a tree of which the parser has
// refused a node is kCorrupt. Nodes that are odd but shown are named in the log.
Result<SharedTree> load_whole_tree(BlobSource& blobs, const BlobId& id, Deadline by);

}  // namespace restree
