// How many paths lie below trees, some of which hang in many places: counted by tree, so that a small
// repository that holds more paths than could ever be listed costs no more than its trees.
//
// Threads: one calls. Limits: the trees of one level, parsed one after another on each thread, and 40
// bytes for each. Errors: those of BulkLoader; a tree that cannot be loaded counts as empty.
#pragma once

#include <map>

#include "repo/bulk/bulk_load.h"
#include "repo/format/id.h"
#include "repo/repository.h"

namespace restree {

// `places`: trees of one level, and in how many places each of them hangs. Stops counting beyond
// `most`. As a floating-point number, since there may be more than fit into any other.
Result<double> count_paths_below(Repository& repository, std::map<BlobId, double> places,
                                 double most, const BulkOptions& bulk);

}  // namespace restree
