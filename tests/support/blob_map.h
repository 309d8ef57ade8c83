// Where in a repository the bytes of a file lie, so that a test can damage exactly those.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "repo/format/index_file.h"
#include "tests/support/restic.h"

namespace restree::testing {

struct BlobPlace {
  BlobId id;
  std::uint64_t file_offset;  // of its plaintext, in the file
  std::uint64_t plain_length;
  PackId pack;
  std::filesystem::path pack_path;
  std::uint64_t pack_offset;  // of its sealed bytes
};

// The chunks of a file of a snapshot, in order. `path` is absolute, as restic ls shows it. All
// places come from restic's own output; throws std::runtime_error.
std::vector<BlobPlace> chunks_of(const Restic& restic, const std::string& snapshot,
                                 const std::filesystem::path& path);
// The one tree blob of a folder of a snapshot.
BlobPlace tree_of(const Restic& restic, const std::string& snapshot,
                  const std::filesystem::path& path);

}  // namespace restree::testing
