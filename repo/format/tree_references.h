// What a tree refers to, whatever its nodes are called and of whatever type they are.
//
// For programs that remove what nothing refers to: a node that Tree leaves out, because it could not
// be shown, still needs its content.
// Pure functions; any thread.
#pragma once

#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/id.h"

namespace restree {

struct TreeReferences {
  std::vector<BlobId> trees;
  std::vector<BlobId> data;
};

// In the order of the nodes, with repetitions. kCorrupt: not a tree, or one of the ids cannot be read.
Result<TreeReferences> find_references(ByteView json);

}  // namespace restree
