// A tree: the sorted nodes of one directory, parsed into one compact, immutable value.
//
// Ownership: a Tree owns the text and arrays that its nodes' views point into; nodes live as long
//            as it does.
// Threads:   any, once parsed.
// Limits:    memory_bytes() is what it costs, for the caches that hold it.
// Format:    restic's tree blob, {"nodes":[…]}, with the fields of every version since 0.1.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/text/timestamp.h"

namespace restree {

enum class NodeType : std::uint8_t {
  kFile,
  kDirectory,
  kSymlink,
  kBlockDevice,
  kCharDevice,
  kFifo,
  kSocket,
};

struct ExtendedAttribute {
  std::string_view name;
  std::string_view value;  // any bytes
  bool has_value = true;   // false: it was gone when its value was asked for
};

struct Node {
  std::string_view name;  // any bytes but '/' and NUL; never empty, "." or ".."
  NodeType type;
  bool has_mode;              // false: the backup recorded none (the field is left out when zero)
  std::uint16_t permissions;  // 07777: rwx bits, setuid, setgid, sticky, as in st_mode
  std::uint32_t uid;
  std::uint32_t gid;
  Timestamp mtime;
  Timestamp atime;
  Timestamp ctime;
  std::uint64_t inode;
  std::uint64_t device_id;       // st_dev of what was backed up
  std::uint64_t size;            // files only
  std::uint64_t links;           // 0 if not recorded
  std::uint64_t device;          // st_rdev of devices
  std::string_view link_target;  // symlinks; raw bytes where the backup has them
  std::string_view user;
  std::string_view group;
  std::span<const BlobId> content;  // files only
  std::span<const ExtendedAttribute> xattrs;
  std::optional<BlobId> subtree;  // directories only; nullopt is damage
};

// Compares every field; the order of the extended attributes does not matter.
bool is_same_node(const Node& a, const Node& b);

class Tree {
 public:
  // Parses a tree blob. kCorrupt: not JSON of that shape. One odd node costs itself at most:
  // - One that cannot be shown (a hostile name, an unknown type, no readable link target or device
  //   number) is left out and described in refused().
  // - A field out of range counts as absent; an owner is then nobody, and content or a subtree
  //   that cannot be read is damage. Of several nodes of one name, all but one are called NAME-1,
  //   NAME-2 and so on. Both are described in odd().
  static Result<std::shared_ptr<const Tree>> parse(ByteView json);

  // Strictly ascending by name, compared as unsigned bytes.
  std::span<const Node> nodes() const { return nodes_; }
  const Node* find(std::string_view name) const;

  // One line for each node that was left out, safe to log.
  const std::vector<std::string>& refused() const { return refused_; }
  // One for each node that is not quite as it is stored.
  const std::vector<std::string>& odd() const { return odd_; }
  // Both, as sentences for people who see the tree as it is here.
  std::vector<std::string> remarks() const;
  // The first line of refused() that is not about an unknown type; empty: there is no other line.
  const std::string& objection() const { return objection_; }
  // The first restic saved / and . as a folder of that name in an otherwise empty tree: the tree of
  // that folder, which is to be shown in place of this one. Such a node counts as refused.
  const std::optional<BlobId>& stand_in() const { return stand_in_; }
  std::size_t memory_bytes() const { return memory_bytes_; }

 private:
  Tree() = default;
  friend class TreeParser;

  std::vector<Node> nodes_;
  std::vector<BlobId> content_;
  std::vector<ExtendedAttribute> xattrs_;
  std::string text_;  // every string of the tree, one after the other
  std::vector<std::string> refused_;
  std::vector<std::string> odd_;
  std::string objection_;
  std::optional<BlobId> stand_in_;
  std::size_t memory_bytes_ = 0;
};

using SharedTree = std::shared_ptr<const Tree>;

}  // namespace restree
