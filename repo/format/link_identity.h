// Which file of the source machine a node was one of several names of: nodes with equal identities
// are hard links to one file.
//
// Device and inode number alone do not say so. A file system gives the number of a deleted file to
// the next one, also while a backup runs, and some systems have no numbers (zero). Taken for one
// file, two of them would both be restored with the content of the first. So type, size and content
// have to be equal as well.
// Ownership: a value of its own. Threads: any. Limits: 64 bytes.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "repo/crypto/sha256.h"
#include "repo/format/tree.h"

namespace restree {

struct LinkIdentity {
  std::uint64_t device;
  std::uint64_t inode;
  std::uint64_t size;
  NodeType type;
  Sha256Digest content;  // of the ids of its blobs

  // nullopt: the node was its file's only name, as far as is known. That is so for directories, for
  // a node that counts fewer than two links, and for one without an inode number.
  static std::optional<LinkIdentity> of(const Node& node);

  auto operator<=>(const LinkIdentity&) const = default;
};

}  // namespace restree
