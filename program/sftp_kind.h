// Repositories on a server that speaks SFTP, through libssh2 or through a command such as ssh.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "program/storage_kinds.h"
#include "repo/storage/sftp/sftp_location.h"

namespace restree {

Result<std::unique_ptr<const Location>> parse_sftp_kind(std::string_view text);

// `written`: how the user named it, for messages.
std::unique_ptr<const Location> sftp_location(SftpLocation location, std::string written);

}  // namespace restree
