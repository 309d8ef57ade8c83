// Where a repository is, in the words that restic uses, and the Storage that reaches it.
//
//   /path  path  local:path
//   sftp:[user@]host:path
//   sftp://[user@]host[:port]/path        %-escapes; a path that is to be absolute has two slashes
//
// Errors: kInvalid: not a location. kUnsupported: a kind of storage that restic has and we have
// not.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "repo/base/result.h"
#include "repo/storage/ssh_options.h"
#include "repo/storage/storage.h"

namespace restree {

struct Location {
  enum class Kind : std::uint8_t { kLocal, kSftp };
  Kind kind;
  std::string path;  // of kSftp: clean, absolute or relative to the login folder
  std::string user;  // empty: not stated
  std::string host;
  std::optional<std::uint16_t> port;

  bool operator==(const Location&) const = default;
  // For messages: without a password that someone may have written into a URL.
  std::string description() const;
};

Result<Location> parse_location(std::string_view text);

// Nothing is contacted yet: what is wrong with a server is found out by the first call. SFTP gets
// retries (retry_storage.h), which end when `stop` is requested. A local folder gets none: what a
// local disk refuses once, it refuses again, and nobody's hand is to be hidden by waiting.
Result<std::shared_ptr<Storage>> make_storage(const Location& location, const SshOptions& options,
                                              const std::stop_token& stop = {});

}  // namespace restree
