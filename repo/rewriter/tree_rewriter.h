// Rewrites trees by rules, from the leaves up: a folder whose tree has become another one names that
// one, and whatever does not change stays byte for byte.
//
// Ownership: what it is made with must outlive it.
// Threads:   one calls.
// Limits:    120 bytes for each tree that was rewritten, so that it need not be read again wherever it
//            comes next: at the same path, or, if the rules do not look at paths, at any. The trees
//            on the way from the root to the current one.
// Errors:    kCancelled: a stop was requested. kCorrupt: a tree is damaged or missing, unless the rules
//            do without it. Others: those of the repository and of the saving.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/format/tree_text.h"
#include "repo/rewriter/tree_rules.h"
#include "repo/trees/trees_ahead.h"

namespace restree {

struct RewrittenTree {
  std::optional<BlobId> id;  // nullopt: nothing of it stays
  // What it holds then, with all below it.
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

// `path` is the node's; `type` is that of a node with an invalid one.
using OnNodeRemark =
    std::function<void(NodeRemark remark, const std::string& path, const std::string& type)>;
using SaveTree = std::function<Result<BlobId>(std::string_view json)>;

// Whether a tree that comes again is walked again, so that there is a remark for each of its places.
enum class Repeated { kKnown, kWalkedAgain };

class TreeRewriter {
 public:
  TreeRewriter(TreesAhead& trees, const TreeRules& rules, SaveTree save, OnNodeRemark on_remark,
               Repeated repeated = Repeated::kKnown);
  ~TreeRewriter();

  Result<RewrittenTree> rewrite(const BlobId& root);

 private:
  struct Level;

  Status enter(const std::optional<BlobId>& tree, std::string path);
  Status do_without(std::string path);
  Status step();
  Status visit(Level& level, std::size_t number);
  Status leave();
  void announce_folders(const Level& level);
  // The result of a folder goes to the level above; that of the root is kept.
  void pass_up(const RewrittenTree& tree);
  void say(NodeRemark remark, const std::string& path, const std::string& type = {});
  // What the result of the tree at this path is remembered by.
  BlobId memory_key(const BlobId& tree, std::string_view path) const;

  TreesAhead& trees_;
  const TreeRules& rules_;
  const SaveTree save_;
  const OnNodeRemark on_remark_;
  const Repeated repeated_;
  std::unordered_map<BlobId, RewrittenTree> rewritten_;
  std::vector<Level> levels_;  // from the root to the current folder
  RewrittenTree root_;
};

}  // namespace restree
