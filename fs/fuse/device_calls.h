// How a session reads requests from /dev/fuse and writes replies to it.
//
// libfuse gives up where the kernel refuses a reply: the request then stays without an answer, and
// the program that asked waits for ever. A read that fails for a moment would end the mount. Both
// are put right here, below every fuse_reply_*() and every worker.
//
// Threads: any.
// Errors:  a reply that the kernel refuses is logged, and its request answered with EIO; libfuse
//          gets the refusal all the same, so that references given with the reply are taken back.
#pragma once

#include <fuse_lowlevel.h>

namespace restree {

// For fuse_session_custom_io().
const fuse_custom_io& device_calls();

}  // namespace restree
