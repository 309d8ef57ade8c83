// A Storage that pauses, so that no more bytes move in a second than its limits let.
//
// For storage that moves files as a whole; where bytes go over a line, LimitedChannel is smoother.
// Ownership: shares the storage. Threads, Errors: those of the storage, and kCancelled: `stop` was
// requested before a write began.
#pragma once

#include <memory>
#include <stop_token>

#include "repo/storage/channel/rate_limit.h"
#include "repo/storage/storage.h"

namespace restree {

// Returns `inner` itself if there are no limits.
std::shared_ptr<Storage> limit_storage(std::shared_ptr<Storage> inner, RateLimits limits,
                                       std::stop_token stop);

}  // namespace restree
