// Files of a snapshot, read through a Mount as the kernel would.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/mount.h"
#include "repo/base/result.h"

namespace restree::testing {

class Names final : public Mount::Listing {
 public:
  bool has_room(std::string_view) override { return true; }
  void add(std::string_view name, std::uint64_t, mode_t, const std::optional<Mount::Found>&,
           std::uint64_t) override {
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::vector<std::string> names;
};

inline Result<std::string> read_mounted(Mount& mount, std::uint64_t folder,
                                        const std::string& name) {
  ASSIGN_OR_RETURN(const auto found, mount.lookup(folder, name));
  if (!found) return Error(ErrorKind::kNotFound, name + " is not there");
  std::string bytes;
  for (;;) {
    ASSIGN_OR_RETURN(const Mount::Slices slices, mount.read(found->inode, bytes.size(), 100'000));
    const std::size_t before = bytes.size();
    for (const ByteView view : slices.views) bytes += as_text(view);
    if (bytes.size() == before) return bytes;
  }
}

// The top of a snapshot, in ids/.
inline Result<std::uint64_t> top_of(Mount& mount, const std::string& snapshot) {
  std::uint64_t inode = Namespace::kRootInode;
  for (const std::string& name : {std::string("ids"), snapshot.substr(0, 8)}) {
    ASSIGN_OR_RETURN(const auto found, mount.lookup(inode, name));
    if (!found) return Error(ErrorKind::kNotFound, name + " is not there");
    inode = found->inode;
  }
  return inode;
}

// The folder `source` below it.
inline Result<std::uint64_t> source_in(Mount& mount, std::uint64_t inode,
                                       const std::filesystem::path& source) {
  for (const std::filesystem::path& step : source.relative_path()) {
    ASSIGN_OR_RETURN(const auto found, mount.lookup(inode, step.string()));
    if (!found) return Error(ErrorKind::kNotFound, step.string() + " is not there");
    inode = found->inode;
  }
  return inode;
}

}  // namespace restree::testing
