// TCP connections that do not wait for ever.
#pragma once

#include <cstdint>
#include <string>

#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/storage/wakeup.h"

namespace restree {

// A connected, non-blocking socket with keepalive and TCP_USER_TIMEOUT set, so that the kernel
// itself gives up on a peer that is gone within half a minute. Each address that the name has is
// tried, with its share of the time left.
// Errors: kUnavailable; the message tells a name without an address, a refusal and a host that
//         does not answer apart.
Result<UniqueFd> connect_tcp(const std::string& host, std::uint16_t port, const Patience& patience);

}  // namespace restree
