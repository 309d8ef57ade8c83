// A folder that holds one of everything which backup and restore get wrong.
#pragma once

#include <cstdint>
#include <filesystem>

#include "tests/support/files.h"

namespace restree::testing {

struct AwkwardTreeOptions {
  std::uint64_t big_file_bytes = 24 * kMiB;
  // What restic 0.14 does not record faithfully: link targets that are not UTF-8, xattrs on links.
  bool beyond_restic_0_14 = false;
};

// Makes `root` and all below it. Needs root (device nodes, owners, capabilities) and a file system
// with xattrs and ACLs; throws std::system_error or std::runtime_error without.
void make_awkward_tree(const std::filesystem::path& root, const AwkwardTreeOptions& options = {});

// Relative to the root of an awkward tree.
inline constexpr const char* kSocketPath = "special/socket";  // no backup holds it
inline constexpr const char* kSparsePath = "sizes/sparse";    // 96 MiB, 1 MiB of them written
inline constexpr const char* kBigPath = "sizes/big";

}  // namespace restree::testing
