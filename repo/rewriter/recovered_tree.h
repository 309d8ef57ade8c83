// The root of a snapshot that holds recovered trees, each as a folder.
//
// Pure functions of values. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/system/time_zone.h"
#include "repo/text/timestamp.h"

namespace restree {

struct RecoveredTree {
  BlobId found;  // what the folder is called by
  BlobId tree;   // what is in it
};

// What the folders are called: by the first 8 digits of the id, or by all where two of them are the
// same. In the order of the trees.
std::vector<std::string> recovered_names(const std::vector<RecoveredTree>& trees);

// The JSON of the tree. All folders have this time, and belong to root.
Result<std::string> write_recovered_tree(const std::vector<RecoveredTree>& trees, Timestamp time,
                                         const TimeZone& zone = TimeZone::local());

}  // namespace restree
