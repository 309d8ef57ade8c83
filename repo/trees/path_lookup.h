// What a path names in a snapshot.
//
// Threads: any.
#pragma once

#include <memory>
#include <string>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/blob_source.h"
#include "repo/format/tree.h"

namespace restree {

struct NamedEntry {
  std::shared_ptr<const Tree> tree;  // the folder itself, or the one that contains the file
  const Node* file = nullptr;        // in `tree`; nullptr: the path names a folder
};

// `path` is relative to `root`; "" and "/" name the root itself. Links are not followed.
// kInvalid: there is no such path, or it leads through a file, or to what is neither a file nor a
// folder. kCorrupt: a tree on the way is damaged or missing.
Result<NamedEntry> look_up(BlobSource& blobs, const BlobId& root, const std::string& path,
                           Deadline by);

}  // namespace restree
