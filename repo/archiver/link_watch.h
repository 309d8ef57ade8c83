// Notices an inode number that comes again within one backup and stands for other content.
//
// A file system may give the number of a file that is deleted to a new one while the backup runs,
// and a file may change between the reading of two of its names. Programs that take nodes with
// the same number for one file would then restore the content of the first under both names.
// Threads:   any.
// Limits:    56 bytes for each file with several names, kMostNumbers of them at most; a number that
//            comes later is not looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "repo/base/guarded.h"
#include "repo/format/link_identity.h"

namespace restree {

class LinkWatch {
 public:
  static constexpr std::size_t kMostNumbers = 500'000;

  // False if a node with the same device and inode number came before and its content, size or type
  // was another.
  bool agrees(const LinkIdentity& identity);

 private:
  using Number = std::pair<std::uint64_t, std::uint64_t>;  // device, inode
  struct NumberHash {
    std::size_t operator()(const Number& number) const;
  };
  // The beginning of a hash: enough for contents that nobody has made in order to deceive.
  using Mark = std::uint64_t;
  Guarded<std::unordered_map<Number, Mark, NumberHash>> marks_;
};

}  // namespace restree
