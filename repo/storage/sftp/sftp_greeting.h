// The first two packets of an SFTP connection: the client's version, and the server's with what it
// can do beyond that.
//
// Threads: any; nothing else may use the channel meanwhile.
// Errors:  kUnavailable: no answer in time, or what answers is not an SFTP server. kUnsupported: one
//          of another version.
#pragma once

#include <string_view>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/storage/channel/byte_channel.h"
#include "repo/storage/channel/wakeup.h"

namespace restree {

// What the server supports beyond what the protocol demands of every server.
struct SftpAbilities {
  bool posix_rename = false;
  bool fsync = false;
  bool limits = false;
  bool statvfs = false;
  bool copy_data = false;
};

// `host` is what messages call the server.
Result<SftpAbilities> greet_sftp_server(ByteChannel& channel, std::string_view host,
                                        const Patience& patience);

}  // namespace restree
