// What a folder held when it was backed up, as hashes: any part of what a mount shows of it can be
// judged by this later, when the folder itself has changed.
//
// Pure values but for take_manifest() and differences(), which read from the disk and throw
// std::system_error.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "repo/crypto/sha256.h"

namespace restree::testing {

// A file is hashed in blocks, so that a part of it can be judged. The last one is shorter.
inline constexpr std::uint64_t kHashedBlock = std::uint64_t{64} * 1024;

struct ManifestEntry {
  mode_t mode = 0;                        // with its type
  std::uint64_t size = 0;                 // of files
  std::int64_t mtime = 0;                 // seconds
  std::string target = {};                // of links
  std::vector<Sha256Digest> blocks = {};  // of files

  bool is_file() const;
  bool is_folder() const;
  std::uint64_t block_size(std::size_t block) const;
  bool block_is(std::size_t block, std::string_view bytes) const;
  bool content_is(std::string_view bytes) const;
};

// By path below the root; the root itself is "".
using Manifest = std::map<std::string, ManifestEntry>;

Manifest take_manifest(const std::filesystem::path& root);

// The entries of the folder `below` and of all in it, their paths being relative to that folder.
Manifest part_of(const Manifest& manifest, const std::string& below);

// What differs between a manifest and a folder on the local disk, one line each; empty if nothing
// does. Modes, times, sizes, targets of links, contents, and that there is nothing else.
std::string differences(const Manifest& manifest, const std::filesystem::path& copy);

}  // namespace restree::testing
