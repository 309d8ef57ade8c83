#include "repo/rewriter/tree_rewriter.h"

#include <fmt/core.h>

#include <type_traits>
#include <utility>

#include "repo/base/clock.h"
#include "repo/crypto/sha256.h"

namespace restree {
namespace {

// A damaged tree, as against a storage that cannot be reached.
bool is_damage(const Error& error) {
  return error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kNotFound;
}

// "" is the path of the root. The first restic saved folders called / and ., which are no step.
std::string path_in(const std::string& folder, const std::string& name) {
  if (name == "/" || name == ".") return folder;
  return fmt::format("{}/{}", folder, name);
}

std::string shown(const std::string& path) { return path.empty() ? "/" : path; }

}  // namespace

// A folder that is being rewritten.
struct TreeRewriter::Level {
  BlobId id;
  std::string path;
  SharedBlob blob;  // what the text points into
  TreeText text;
  std::vector<JudgedNode> judged;
  std::size_t next = 0;  // node
  std::vector<std::string_view> kept;
  bool is_changed = false;
  RewrittenTree result;

  const NodeText& current() const { return text.nodes[next - 1]; }
  std::string path_of(const NodeText& node) const { return path_in(path, node.name); }
  void keep(std::size_t number) {
    const std::optional<std::string>& json = judged[number].json;
    kept.push_back(json ? std::string_view(*json) : text.nodes[number].json);
    is_changed = is_changed || json.has_value();
  }
};

// Views into its nodes stay right while the levels below come and go.
static_assert(std::is_nothrow_move_constructible_v<NodeText>);

TreeRewriter::TreeRewriter(TreesAhead& trees, const TreeRules& rules, SaveTree save,
                           OnNodeRemark on_remark, Repeated repeated)
    : trees_(trees),
      rules_(rules),
      save_(std::move(save)),
      on_remark_(std::move(on_remark)),
      repeated_(repeated) {}

TreeRewriter::~TreeRewriter() = default;

Result<RewrittenTree> TreeRewriter::rewrite(const BlobId& root) {
  levels_.clear();
  const std::size_t before = trees_.announcements();
  Status done = enter(root, "");
  while (done && !levels_.empty()) done = step();
  trees_.forget_since(before);
  if (!done) return done.error();
  return root_;
}

Status TreeRewriter::step() {
  RETURN_IF_ERROR(trees_.go_on());
  Level& level = levels_.back();
  if (level.next == level.text.nodes.size()) return leave();
  const std::size_t number = level.next++;
  return visit(level, number);
}

Status TreeRewriter::enter(const std::optional<BlobId>& tree, std::string path) {
  if (tree) {
    const auto known = rewritten_.find(memory_key(*tree, path));
    if (known != rewritten_.end()) {
      pass_up(known->second);
      return {};
    }
  }
  Level level;
  level.path = std::move(path);
  const auto load = [&]() -> Status {
    if (!tree) {
      return Error(ErrorKind::kCorrupt,
                   fmt::format("the folder {} has no subtree", shown(level.path)));
    }
    level.id = *tree;
    ASSIGN_OR_RETURN(level.blob, trees_.load(*tree));
    auto text = parse_tree_text(*level.blob);
    if (!text) return std::move(text).error().with("tree " + tree->hex());
    level.text = std::move(*text);
    return {};
  };
  const Status loaded = load();
  if (!loaded && is_damage(loaded.error()) && rules_.do_without_unreadable()) {
    return do_without(std::move(level.path));
  }
  RETURN_IF_ERROR(loaded);
  level.judged.reserve(level.text.nodes.size());
  for (const NodeText& node : level.text.nodes) {
    if (node.name.empty() && rules_.look_at_paths()) {
      return Error(ErrorKind::kCorrupt, fmt::format("tree {}: the folder {} has a node without a "
                                                    "name that can be read",
                                                    level.id.hex(), shown(level.path)));
    }
    level.judged.push_back(rules_.judge(node, shown(level.path_of(node))));
  }
  announce_folders(level);
  levels_.push_back(std::move(level));
  return {};
}

Status TreeRewriter::do_without(std::string path) {
  if (path.empty()) {
    say(NodeRemark::kRootNotReadable, shown(path));
    pass_up({});
    return {};
  }
  say(NodeRemark::kFolderEmptied, path);
  ASSIGN_OR_RETURN(const BlobId empty, save_(kEmptyTree));
  pass_up({.id = empty});
  return {};
}

Status TreeRewriter::visit(Level& level, std::size_t number) {
  const NodeText& node = level.text.nodes[number];
  const JudgedNode& judged = level.judged[number];
  std::string path = level.path_of(node);
  say(judged.remark, shown(path), node.type);
  if (!judged.stays) {
    level.is_changed = true;
    return {};
  }
  if (node.is_folder()) return enter(node.subtree, std::move(path));
  level.keep(number);
  if (node.is_file()) {
    ++level.result.files;
    level.result.bytes += node.size;
  }
  return {};
}

Status TreeRewriter::leave() {
  const Level level = std::move(levels_.back());
  levels_.pop_back();
  RewrittenTree result = level.result;
  const std::string path = shown(level.path);
  const JudgedNode judged = level.kept.empty() ? rules_.judge_empty(path) : JudgedNode();
  say(judged.remark, path);
  if (judged.stays && level.is_changed) {
    ASSIGN_OR_RETURN(result.id, save_(write_tree_text(level.text, level.kept)));
  } else if (judged.stays) {
    result.id = level.id;
  }
  if (repeated_ == Repeated::kKnown) rewritten_.emplace(memory_key(level.id, level.path), result);
  pass_up(result);
  return {};
}

void TreeRewriter::pass_up(const RewrittenTree& tree) {
  if (levels_.empty()) {
    root_ = tree;
    return;
  }
  Level& above = levels_.back();
  const NodeText& folder = above.current();
  if (!tree.id) {
    above.is_changed = true;
    return;
  }
  const std::size_t number = above.next - 1;
  if (tree.id != folder.subtree) above.judged[number].json = with_subtree(folder, *tree.id);
  above.keep(number);
  above.result.files += tree.files;
  above.result.bytes += tree.bytes;
}

void TreeRewriter::announce_folders(const Level& level) {
  std::vector<BlobId> folders;
  for (std::size_t i = 0; i < level.judged.size(); ++i) {
    const NodeText& node = level.text.nodes[i];
    if (!node.is_folder() || !node.subtree || !level.judged[i].stays) continue;
    if (rewritten_.contains(memory_key(*node.subtree, level.path_of(node)))) continue;
    folders.push_back(*node.subtree);
  }
  trees_.announce(std::move(folders));
}

void TreeRewriter::say(NodeRemark remark, const std::string& path, const std::string& type) {
  if (on_remark_ && remark != NodeRemark::kNone) on_remark_(remark, path, type);
}

BlobId TreeRewriter::memory_key(const BlobId& tree, std::string_view path) const {
  if (!rules_.look_at_paths()) return tree;
  std::string text = tree.hex();
  text += path;
  return BlobId{sha256(as_bytes(text))};
}

}  // namespace restree
