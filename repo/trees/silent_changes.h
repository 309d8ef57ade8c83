// Files whose content is another one in a later tree, although their size and the time of their last
// modification are the same. Whoever, or whatever, has changed them did it behind the back of all that go by
// times.
//
// What is compared are the ids of chunks. Where the same bytes were cut in another way, as in a snapshot that
// was copied from a repository with another polynomial, they count as changed.
//
// Ownership: the repository must outlive the call.
// Threads:   one calls; several load trees.
// Limits:    64 bytes for each folder that differs, of which kMostComparedFolders are looked at.
// Errors:    kCancelled: a stop was requested. Others: those of Repository::load. A tree that is damaged or
//            missing counts as unchanged: that it is damaged is said by others.
#pragma once

#include <cstddef>
#include <cstdint>

#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/repository.h"
#include "repo/trees/trees_ahead.h"

namespace restree {

inline constexpr std::size_t kMostComparedFolders = 200'000;

// How many such files there are. Folders that are the same in both trees are not read.
Result<std::uint64_t> count_silent_changes(Repository& repository, const BlobId& before,
                                           const BlobId& after, TreesAheadOptions options);

}  // namespace restree
