// Copies ranges of files into a new file on an SFTP server, by its extension copy-data.
//
// What the server says of a copy is no proof: OpenSSH answers that all is well if only the last 64 KiB of a
// range could not be written, and if the old file was too short for them. So the new file has to be read.
//
// Threads: any.
// Limits:  kMostUnderWay requests at a time, of kMostCopiedBytes: the server answers nothing else on this
//          connection while it copies.
// Errors:  those of SftpClient; what is in the file then is unknown.
// Format:  OpenSSH's PROTOCOL, copy-data; draft-ietf-secsh-filexfer-extensions-00.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/storage/sftp/sftp_connection.h"
#include "repo/storage/storage.h"

namespace restree {

// A file on the server, and what of it is wanted, in this order.
struct SftpSource {
  std::string path;
  std::vector<ByteRange> ranges;
};

// Writes the ranges one after the other to the empty file whose handle is `into`, and `end` behind them.
Status copy_on_server(SftpConnection& connection, std::span<const SftpSource> sources,
                      std::string_view into, ByteView end, Deadline by);

}  // namespace restree
