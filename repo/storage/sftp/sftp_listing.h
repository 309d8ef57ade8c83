// Listing many folders of an SFTP server at once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/storage/sftp/sftp_client.h"

namespace restree {

// Calls `found` for every entry of every folder, "." and ".." included, on the caller's thread. A
// folder that does not exist has no entries. Several folders are open at once, so that their round
// trips overlap.
Status list_folders(SftpClient& client, const std::vector<std::string>& folders,
                    const std::function<void(const std::string& folder, sftp::Entry&&)>& found,
                    Deadline by);

}  // namespace restree
