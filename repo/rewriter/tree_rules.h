// What becomes of the nodes of a tree when it is rewritten: the decisions, as functions of values.
//
// Threads: any; immutable.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "repo/format/id.h"
#include "repo/format/tree_text.h"
#include "repo/pattern/pattern_filter.h"

namespace restree {

// What there is to say about a node.
enum class NodeRemark : std::uint8_t {
  kNone,
  kExcluded,
  kIncluded,
  kIncludedFolder,  // although nothing is left in it
  kContentCut,      // some of it is not in the repository
  kSizeFixed,
  kInvalidType,
  kInvalidName,
  kFolderEmptied,    // its tree cannot be read
  kRootNotReadable,  // the same of the whole snapshot
};

struct JudgedNode {
  bool stays = true;
  std::optional<std::string> json = {};  // in place of its own
  NodeRemark remark = NodeRemark::kNone;
};

class TreeRules {
 public:
  virtual ~TreeRules() = default;

  // Whether it matters where a tree is. If not, equal trees become equal trees.
  virtual bool look_at_paths() const = 0;
  // `path`: from the root, "/srv/f". Of a folder only the node itself is judged.
  virtual JudgedNode judge(const NodeText& node, const std::string& path) const = 0;
  // The same of a folder, or the root "/", in which no nodes are left.
  virtual JudgedNode judge_empty(const std::string& /*path*/) const { return {}; }
  // Whether an empty folder takes the place of one whose tree cannot be read, and nothing the place of
  // such a root. If not, such a tree ends the work.
  virtual bool do_without_unreadable() const { return false; }
};

// Leaves out what matches; a folder with all that is in it.
class ExcludeRules final : public TreeRules {
 public:
  explicit ExcludeRules(PatternFilter excluded) : excluded_(std::move(excluded)) {}
  bool look_at_paths() const override { return !excluded_.empty(); }
  JudgedNode judge(const NodeText& node, const std::string& path) const override;

 private:
  const PatternFilter excluded_;
};

// Leaves only what matches, and the folders on the way there.
class IncludeRules final : public TreeRules {
 public:
  explicit IncludeRules(PatternFilter included) : included_(std::move(included)) {}
  bool look_at_paths() const override { return true; }
  JudgedNode judge(const NodeText& node, const std::string& path) const override;
  JudgedNode judge_empty(const std::string& path) const override;

 private:
  const PatternFilter included_;
};

// The size of a blob of data; nullopt: the repository does not have it.
using DataSize = std::function<std::optional<std::uint32_t>(const BlobId& id)>;

// Takes out what the repository lacks, so that what is left is whole.
class RepairRules final : public TreeRules {
 public:
  explicit RepairRules(DataSize size_of) : size_of_(std::move(size_of)) {}
  bool look_at_paths() const override { return false; }
  JudgedNode judge(const NodeText& node, const std::string& path) const override;
  bool do_without_unreadable() const override { return true; }

 private:
  const DataSize size_of_;
};

}  // namespace restree
