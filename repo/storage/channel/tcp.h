// Making TCP connections that never wait for ever.
#pragma once

#include <cstdint>
#include <string>

#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/storage/channel/wakeup.h"

namespace restree {

// A connected, non-blocking socket with keepalive and TCP_USER_TIMEOUT set, so that the kernel
// itself gives up on a peer that is gone within half a minute. Each address of the name is tried,
// with its share of the time left.
// Errors: kUnavailable; the message says whether the name has no address, the host refused,
//         or it did not answer.
Result<UniqueFd> connect_tcp(const std::string& host, std::uint16_t port, const Patience& patience);

}  // namespace restree
