// Whether a folder lies on a file system whose server may be away, so that any call for it may hang.
#pragma once

#include <chrono>
#include <string>

namespace restree {

// True for NFS, CIFS, FUSE and their like, and for a folder of which nothing is heard for
// `patience`. Of a folder that is not there, the nearest one above it counts.
// Threads: any. May leave a thread behind (HangingCalls).
bool is_network_folder(const std::string& folder,
                       std::chrono::milliseconds patience = std::chrono::seconds(2));

}  // namespace restree
