#include "repo/format/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

#include "repo/base/log.h"
#include "repo/format/equal_names.h"
#include "repo/format/node_parser.h"
#include "repo/text/json_reader.h"

namespace restree {
namespace {

// Only the first refused nodes get a line each: a hostile tree must not fill the memory.
constexpr std::size_t kRefusedLines = 20;
constexpr std::size_t kShownNameBytes = 300;

// The length of a plain file's JSON, with one piece of content.
constexpr std::size_t kTypicalNodeBytes = 380;

std::string shown(std::string_view name) { return log::quoted(name.substr(0, kShownNameBytes)); }

bool has_xattr(std::span<const ExtendedAttribute> xattrs, const ExtendedAttribute& wanted) {
  return std::any_of(xattrs.begin(), xattrs.end(), [&](const ExtendedAttribute& xattr) {
    return xattr.name == wanted.name && xattr.value == wanted.value;
  });
}

bool are_same_xattrs(std::span<const ExtendedAttribute> a, std::span<const ExtendedAttribute> b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const ExtendedAttribute& one) {
           return has_xattr(b, one);
         });
}

auto plain_fields(const Node& node) {
  return std::tie(node.name, node.type, node.permissions, node.uid, node.gid, node.mtime,
                  node.atime, node.ctime, node.inode, node.device_id, node.size, node.links,
                  node.device, node.link_target, node.user, node.group, node.subtree);
}

}  // namespace

// Parses into drafts whose text lies in a string that never moves; finish() then makes the exact,
// compact form and points the views there.
class TreeParser {
 public:
  explicit TreeParser(ByteView json) : nodes_(json.size()) {
    drafts_.reserve(json.size() / kTypicalNodeBytes);
  }

  Status parse(ByteView json);
  std::shared_ptr<const Tree> finish();

 private:
  void forget_nodes();
  void add(ParsedNode parsed);
  enum class Refusal { kOfType, kOther };
  void refuse(std::string_view name, std::string_view objection, Refusal kind = Refusal::kOther);
  void remark(std::string line);
  void sort();
  void rename_duplicates();
  // `view` points into the text of nodes_ or new_names_; the same bytes in `text`, which has one
  // after the other.
  std::string_view moved(std::string_view view, const std::string& text) const;

  NodeParser nodes_;
  std::vector<NodeDraft> drafts_;
  std::string new_names_;  // of renamed nodes; it never moves either
  std::vector<std::string> refused_;
  std::size_t refused_count_ = 0;
  std::vector<std::string> odd_;
  std::size_t odd_count_ = 0;
  std::string objection_;
  std::optional<BlobId> stand_in_;
};

Status TreeParser::parse(ByteView json) {
  RETURN_IF_ERROR(json::read_json(json, "tree", [&](json::Root root) {
    bool has_nodes = false;
    root.each_field([&](std::string_view key, json::Value value) {
      if (key != "nodes") return;
      if (std::exchange(has_nodes, true)) forget_nodes();  // the last list counts
      value.each_element([&](json::Value node) { add(nodes_.parse(node)); });
    });
    if (!has_nodes) throw json::BadJson("no nodes");
  }));
  sort();
  rename_duplicates();
  return {};
}

void TreeParser::forget_nodes() {
  nodes_.forget_nodes();
  drafts_.clear();
  refused_.clear();
  refused_count_ = 0;
  odd_.clear();
  odd_count_ = 0;
  objection_.clear();
  stand_in_.reset();
}

void TreeParser::add(ParsedNode parsed) {
  const std::string_view name = parsed.draft.node.name;
  if (!parsed.objection.empty()) {
    if (parsed.stand_in) stand_in_ = parsed.stand_in;
    return refuse(name, parsed.objection,
                  parsed.is_of_unknown_type ? Refusal::kOfType : Refusal::kOther);
  }
  if (!parsed.unreadable_fields.empty()) {
    remark(fmt::format("node {} has fields that cannot be read: {}", shown(name),
                       parsed.unreadable_fields));
  }
  drafts_.push_back(parsed.draft);
}

void TreeParser::refuse(std::string_view name, std::string_view objection, Refusal kind) {
  const std::string line = fmt::format("node {} {}", shown(name), objection);
  if (kind == Refusal::kOther && objection_.empty()) objection_ = line;
  if (++refused_count_ <= kRefusedLines) refused_.push_back(line);
}

void TreeParser::remark(std::string line) {
  if (++odd_count_ <= kRefusedLines) odd_.push_back(std::move(line));
}

void TreeParser::sort() {
  const auto by_name = [](const NodeDraft& draft) { return draft.node.name; };
  if (!std::ranges::is_sorted(drafts_, {}, by_name)) {
    std::ranges::stable_sort(drafts_, {}, by_name);
  }
}

void TreeParser::rename_duplicates() {
  const auto same_name = [](const NodeDraft& a, const NodeDraft& b) {
    return a.node.name == b.node.name;
  };
  if (std::ranges::adjacent_find(drafts_, same_name) == drafts_.end()) return;
  std::vector<const Node*> nodes;
  nodes.reserve(drafts_.size());
  for (const NodeDraft& draft : drafts_) nodes.push_back(&draft.node);
  const std::vector<NewName> renamed = names_for_equals(nodes);
  std::size_t bytes = 0;
  for (const NewName& each : renamed) bytes += each.name.size();
  new_names_.reserve(bytes);
  for (const NewName& each : renamed) {
    Node& node = drafts_[each.node].node;
    remark(fmt::format("node {} appears more than once, and one of them is called {}",
                       shown(node.name), shown(each.name)));
    const std::size_t begin = new_names_.size();
    new_names_ += each.name;
    node.name = std::string_view(new_names_).substr(begin);
  }
  sort();
  // Two long names of which the end was cut off may have become one.
  for (auto at = std::ranges::adjacent_find(drafts_, same_name); at != drafts_.end();
       at = std::adjacent_find(at + 1, drafts_.end(), same_name)) {
    refuse(at->node.name, "appears more than once");
  }
  drafts_.erase(std::unique(drafts_.begin(), drafts_.end(), same_name), drafts_.end());
}

std::string_view TreeParser::moved(std::string_view view, const std::string& text) const {
  if (view.empty()) return {};
  const std::less_equal<> not_after;
  const char* const begin = new_names_.data();
  const bool is_new = not_after(begin, view.data()) &&
                      not_after(view.data() + view.size(), begin + new_names_.size());
  const auto offset = is_new
                          ? view.data() - begin + static_cast<std::ptrdiff_t>(nodes_.text().size())
                          : view.data() - nodes_.text().data();
  return {text.data() + offset, view.size()};
}

std::shared_ptr<const Tree> TreeParser::finish() {
  std::shared_ptr<Tree> tree(new Tree());
  tree->text_ = nodes_.text() + new_names_;
  tree->text_.shrink_to_fit();
  tree->content_ = std::vector<BlobId>(nodes_.content().begin(), nodes_.content().end());
  tree->xattrs_ = std::vector<ExtendedAttribute>(nodes_.xattrs().begin(), nodes_.xattrs().end());
  for (ExtendedAttribute& attribute : tree->xattrs_) {
    attribute.name = moved(attribute.name, tree->text_);
    attribute.value = moved(attribute.value, tree->text_);
  }
  tree->nodes_.reserve(drafts_.size());
  for (const NodeDraft& draft : drafts_) {
    Node& node = tree->nodes_.emplace_back(draft.node);
    for (std::string_view Node::*text :
         {&Node::name, &Node::link_target, &Node::user, &Node::group}) {
      node.*text = moved(node.*text, tree->text_);
    }
    node.content = std::span(tree->content_).subspan(draft.content_begin, draft.content_count);
    node.xattrs = std::span(tree->xattrs_).subspan(draft.xattrs_begin, draft.xattrs_count);
  }
  if (refused_count_ > kRefusedLines) {
    refused_.push_back(fmt::format("and {} more", refused_count_ - kRefusedLines));
  }
  if (odd_count_ > kRefusedLines) {
    odd_.push_back(fmt::format("and {} more", odd_count_ - kRefusedLines));
  }
  // A root beside other nodes is not what the first restic made.
  if (drafts_.empty() && refused_count_ == 1) tree->stand_in_ = stand_in_;
  tree->refused_ = std::move(refused_);
  tree->objection_ = std::move(objection_);
  tree->odd_ = std::move(odd_);
  tree->memory_bytes_ =
      sizeof(Tree) + tree->text_.capacity() + tree->content_.capacity() * sizeof(BlobId) +
      tree->xattrs_.capacity() * sizeof(ExtendedAttribute) + tree->nodes_.capacity() * sizeof(Node);
  tree->memory_bytes_ += tree->objection_.capacity();
  for (const auto* lines : {&tree->refused_, &tree->odd_}) {
    for (const std::string& line : *lines) {
      tree->memory_bytes_ += sizeof(std::string) + line.capacity();
    }
  }
  return tree;
}

bool is_same_node(const Node& a, const Node& b) {
  return plain_fields(a) == plain_fields(b) && std::ranges::equal(a.content, b.content) &&
         are_same_xattrs(a.xattrs, b.xattrs);
}

Result<std::shared_ptr<const Tree>> Tree::parse(ByteView json) {
  TreeParser parser(json);
  RETURN_IF_ERROR(parser.parse(json));
  return parser.finish();
}

std::vector<std::string> Tree::remarks() const {
  std::vector<std::string> all;
  all.reserve(refused_.size() + odd_.size());
  for (const std::string& line : refused_) {
    all.push_back(line.starts_with("node ") ? line + ", and is left out" : line);
  }
  all.insert(all.end(), odd_.begin(), odd_.end());
  return all;
}

const Node* Tree::find(std::string_view name) const {
  const auto at = std::ranges::lower_bound(nodes_, name, {}, &Node::name);
  return at != nodes_.end() && at->name == name ? &*at : nullptr;
}

}  // namespace restree
