// An SFTP server as a remote of rclone's describes it.
#pragma once

#include <string>

#include "repo/base/result.h"
#include "repo/storage/rclone/rclone_place.h"
#include "repo/storage/rclone/rclone_remote.h"

namespace restree {

// `remote` is of type sftp. Errors: those of find_rclone_place().
Result<RcloneServer> rclone_server(const RcloneRemote& remote, std::string path);

// A setting that cannot be obeyed; `way_out` is what to do.
Error unsupported_setting(const RcloneRemote& remote, std::string_view key,
                          std::string_view way_out);

}  // namespace restree
