// Repositories at a remote of rclone's that is a plain folder or SFTP server; no rclone is run.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "program/storage_kinds.h"

namespace restree {

Result<std::unique_ptr<const Location>> parse_rclone_kind(std::string_view text);

// The names of the options that Location::take_rclone_options() knows there.
std::vector<std::string_view> rclone_option_names();

}  // namespace restree
