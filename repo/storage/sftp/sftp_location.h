// Where a repository lies on an SFTP server, in the words that restic uses.
//
//   sftp:[user@]host:path
//   sftp://[user@]host[:port]/path        %-escapes; a path that is to be absolute has two slashes
//
// Threads: pure values.
// Errors:  kInvalid: the text is not such a location.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "repo/base/result.h"

namespace restree {

struct SftpLocation {
  std::string path;  // clean, absolute or relative to the login folder
  std::string user;  // empty: not stated
  std::string host;
  std::optional<std::uint16_t> port;

  bool operator==(const SftpLocation&) const = default;
  // For messages: without the password that a URL may contain. Can be parsed again.
  std::string description() const;
};

// `text` begins with "sftp:".
Result<SftpLocation> parse_sftp_location(std::string_view text);

// The same from its parts, of which `path` need not be clean. `text`: as the user wrote it.
Result<SftpLocation> make_sftp_location(SftpLocation parts, std::string_view text);

}  // namespace restree
