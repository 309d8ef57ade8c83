// A parsed tree in few bytes, for programs that keep many of them, or very large ones.
//
// A Tree costs some 300 bytes an entry, most of which are the same in all entries of a folder. Here
// an entry is a record of variable length: what it shares with others (type, mode, owners, device)
// is in a table, times and inode numbers are differences. nodes() makes a Node of a record when it
// is asked for, in some 50 ns.
//
// Ownership: owns all that its nodes' views point into; a Node is a value, and its views are good
//            for as long as the tree is.
// Threads:   any, once made.
// Limits:    memory_bytes() is what it costs: about 45 bytes an entry, its name, and 32 bytes for
//            each chunk or subtree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/format/tree.h"

namespace restree {

class CompactTree {
 public:
  static std::shared_ptr<const CompactTree> make(const Tree& tree);
  static constexpr std::size_t kPartBytes = 4 << 20;
  // What make() gives of Tree::parse(), with its errors. A larger blob that is as programs write
  // them is parsed in parts of `part_bytes`, as Trees take more memory than anything else here.
  static Result<std::shared_ptr<const CompactTree>> parse(ByteView json,
                                                          std::size_t part_bytes = kPartBytes);

  // The nodes of the Tree, in its order.
  class Nodes;
  Nodes nodes() const;
  // Where in nodes() the node of that name is.
  std::optional<std::uint32_t> find(std::string_view name) const;

  // As the Tree has them.
  const std::vector<std::string>& remarks() const { return remarks_; }
  const std::optional<BlobId>& stand_in() const { return stand_in_; }
  std::size_t memory_bytes() const { return memory_bytes_; }

 private:
  // What many nodes have in common.
  struct Common {
    NodeType type;
    bool has_mode;
    std::uint16_t permissions;
    std::uint32_t uid;
    std::uint32_t gid;
    std::uint64_t device_id;
    std::uint64_t links;
    std::uint64_t device;
    std::string user;
    std::string group;
  };
  // A list of extended attributes, as part of xattrs_.
  struct XattrList {
    std::uint32_t begin;
    std::uint32_t count;
  };
  class Maker;

  CompactTree() = default;
  static std::shared_ptr<const CompactTree> parse_in_parts(std::string_view json,
                                                           std::size_t part_bytes);
  std::size_t count_memory() const;
  Node node(std::size_t position) const;
  std::string_view name(std::size_t position) const;

  std::string records_;
  std::vector<std::uint32_t> begins_;  // of each record; a tree has less than 4 GiB of JSON
  std::vector<Common> commons_;
  std::vector<BlobId> ids_;  // chunks and subtrees
  std::vector<XattrList> xattr_lists_;
  std::vector<ExtendedAttribute> xattrs_;
  std::string xattr_text_;
  std::vector<std::string> remarks_;
  std::optional<BlobId> stand_in_;
  // From which the records' times and inode numbers differ.
  std::int64_t base_seconds_ = 0;
  std::uint64_t base_inode_ = 0;
  std::size_t memory_bytes_ = 0;
};

class CompactTree::Nodes {
 public:
  class Iterator {
   public:
    using value_type = Node;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    Iterator(const CompactTree* tree, std::size_t position) : tree_(tree), position_(position) {}
    Node operator*() const { return tree_->node(position_); }
    Iterator& operator++() {
      ++position_;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++position_;
      return before;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const CompactTree* tree_ = nullptr;
    std::size_t position_ = 0;
  };

  explicit Nodes(const CompactTree& tree) : tree_(&tree) {}
  std::size_t size() const { return tree_->begins_.size(); }
  bool empty() const { return size() == 0; }
  Node operator[](std::size_t position) const { return tree_->node(position); }
  // The name alone, in a fraction of the time.
  std::string_view name(std::size_t position) const { return tree_->name(position); }
  Iterator begin() const { return {tree_, 0}; }
  Iterator end() const { return {tree_, size()}; }

 private:
  const CompactTree* tree_;
};

inline CompactTree::Nodes CompactTree::nodes() const { return Nodes(*this); }

using SharedCompactTree = std::shared_ptr<const CompactTree>;

}  // namespace restree
