// Repositories on a server that speaks SFTP, through libssh2 or through a command such as ssh.
#pragma once

#include "program/storage_kinds.h"

namespace restree {

Result<std::unique_ptr<const Location>> parse_sftp_kind(std::string_view text);

}  // namespace restree
