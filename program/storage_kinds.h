// The kinds of storage that a repository can lie in, and what differs between them.
//
//   /path  path  local:path        a folder of this machine
//   sftp:…  sftp://…               repo/storage/sftp/sftp_location.h
//   rclone:REMOTE:PATH             one of the two above: repo/storage/rclone/rclone_place.h
//
// Code that depends on the kind asks a virtual function of Location and never compares kinds: a
// further kind is then one more Location and one more row of the table in storage_kinds.cc.
//
// Errors: kInvalid: not a location. kUnsupported: a kind of storage that restic has and Restree
//         does not have.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "repo/storage/ssh/ssh_options.h"
#include "repo/storage/storage.h"

namespace restree {

// Where one repository is. Immutable. Threads: any.
class Location {
 public:
  virtual ~Location() = default;

  // For messages: without a password that someone may have written into a URL. It can be parsed
  // again.
  virtual std::string description() const = 0;

  // A request costs a round trip to another machine: reading ahead, and a cache on disk, pay.
  virtual bool is_far() const = 0;

  // The repository's folder, if it lies in one of this machine.
  virtual std::optional<std::string> folder() const = 0;

  // The same text for the same location, however it is written: with what the options say of the
  // server, without any secret.
  virtual std::string identity(const SshOptions& options) const = 0;

  // Puts what restic's extended options rclone.*, each one NAME=VALUE, say into `options`. Only for
  // locations that restic would reach through rclone, all others ignore them.
  virtual Status take_rclone_options(const std::vector<std::string>& /*words*/,
                                     SshOptions& /*options*/) const {
    return {};
  }

  // Nothing is contacted yet: what is wrong with a server is found out by the first call. A far
  // storage repeats what failed (repo/storage/decorators/retry_storage.h) until `stop` is
  // requested. A local folder does not: what a local disk refuses once, it refuses again, and a
  // person who sees the failure at once can mend it.
  virtual Result<std::shared_ptr<Storage>> make_storage(const SshOptions& options,
                                                        const std::stop_token& stop = {}) const = 0;
};

Result<std::unique_ptr<const Location>> parse_location(std::string_view text);

// A folder of this machine, whatever characters its name has.
std::unique_ptr<const Location> local_location(std::string folder);

}  // namespace restree
