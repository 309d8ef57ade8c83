#include "repo/format/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

#include "repo/base/log.h"
#include "repo/format/json_reader.h"
#include "repo/format/node_fields.h"
#include "repo/format/node_name.h"

namespace restree {
namespace {

// Only the first refused nodes get a line each: a hostile tree must not fill the memory.
constexpr std::size_t kRefusedLines = 20;
constexpr std::size_t kShownNameBytes = 300;
// What Linux takes for a name.
constexpr std::size_t kLongestShownName = 255;

// The owner where the backup's cannot be read: nobody, and never root.
constexpr std::uint32_t kNobody = 65534;

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

// Parses into drafts whose text lies in a scratch string that never moves; finish() then makes the
// exact, compact form and points the views there.
class TreeParser {
 public:
  explicit TreeParser(ByteView json) {
    // No escape is shorter than what it stands for, so this is never outgrown. Pages that are not
    // written to cost nothing.
    scratch_.reserve(json.size());
    drafts_.reserve(json.size() / kTypicalNodeBytes);
  }

  Status parse(ByteView json);
  std::shared_ptr<const Tree> finish();

 private:
  struct Draft {
    Node node{};
    std::size_t content_begin = 0;
    std::size_t content_count = 0;
    std::size_t xattrs_begin = 0;
    std::size_t xattrs_count = 0;
  };
  // What is known of the node only once all its fields have been read.
  struct Pending {
    std::optional<NodeType> type;
    std::string_view type_name;
    bool name_unreadable = false;
    bool link_target_unreadable = false;
    bool device_unreadable = false;
    std::string_view link_target_raw;
    std::string unreadable_fields;  // as the JSON calls them, with commas
  };

  // Owners repeat from node to node: the last one's text is stored once.
  struct RepeatedText {
    std::string_view token;
    std::string_view text;
    std::string_view get(TreeParser& parser, const json::Value& value) {
      if (token != value.token()) {
        text = parser.store_text(value);
        token = value.token();
      }
      return text;
    }
  };

  void forget_nodes();
  void parse_node(json::Value value);
  void set_field(std::size_t field, json::Value& value, Draft& draft, Pending& pending);
  // For a field whose value cannot be read.
  void do_without(std::size_t field, Draft& draft, Pending& pending);
  void set_name(const json::Value& value, Node& node, Pending& pending);
  void parse_content(json::Value& value, Draft& draft);
  void parse_xattrs(json::Value& value, Draft& draft);
  void keep(Draft draft, const Pending& pending);
  enum class Refusal { kOfType, kOther };
  void refuse(std::string_view name, std::string_view objection, Refusal kind = Refusal::kOther);
  void remark(std::string line);
  void sort();
  void rename_duplicates();
  std::string unused_name(std::string_view name, std::size_t& number) const;

  std::string_view store_text(const json::Value& value);
  std::string_view store_bytes(std::string_view bytes);
  Timestamp time_of(const json::Value& value);
  // `view` points into scratch_ or new_names_; the same bytes in `text`, which has one after the
  // other.
  std::string_view moved(std::string_view view, const std::string& text) const;

  std::vector<Draft> drafts_;
  std::vector<BlobId> content_;
  std::vector<ExtendedAttribute> xattrs_;
  std::string scratch_;
  std::string new_names_;  // of renamed nodes; it never moves either
  std::string unescaped_;
  std::vector<std::string> refused_;
  std::size_t refused_count_ = 0;
  std::vector<std::string> odd_;
  std::size_t odd_count_ = 0;
  std::string objection_;
  std::optional<BlobId> stand_in_;
  RepeatedText user_;
  RepeatedText group_;
  // atime is a copy of mtime, as a rule.
  std::string_view last_time_token_;
  Timestamp last_time_;
};

Status TreeParser::parse(ByteView json) {
  RETURN_IF_ERROR(json::read_json(json, "tree", [&](json::Root root) {
    bool has_nodes = false;
    root.each_field([&](std::string_view key, json::Value value) {
      if (key != "nodes") return;
      if (std::exchange(has_nodes, true)) forget_nodes();  // the last list counts
      value.each_element([&](json::Value node) { parse_node(node); });
    });
    if (!has_nodes) throw json::BadJson("no nodes");
  }));
  sort();
  rename_duplicates();
  return {};
}

void TreeParser::forget_nodes() {
  drafts_.clear();
  content_.clear();
  xattrs_.clear();
  refused_.clear();
  refused_count_ = 0;
  odd_.clear();
  odd_count_ = 0;
  objection_.clear();
  stand_in_.reset();
}

void TreeParser::parse_node(json::Value value) {
  Draft draft;
  Pending pending;
  std::size_t next = 0;
  try {
    value.each_field([&](std::string_view key, json::Value field_value) {
      const std::size_t field = field_named(key, next);
      if (field == kFieldCount) return;
      next = field + 1;
      try {
        set_field(field, field_value, draft, pending);
      } catch (const json::BadValue&) {
        if (!pending.unreadable_fields.empty()) pending.unreadable_fields += ", ";
        pending.unreadable_fields += key;
        do_without(field, draft, pending);
      }
    });
  } catch (const json::BadValue& bad) {
    return refuse(draft.node.name, fmt::format("cannot be read ({})", bad.what()));
  }
  keep(draft, pending);
}

void TreeParser::do_without(std::size_t field, Draft& draft, Pending& pending) {
  switch (field) {
    case kName:
      pending.name_unreadable = true;
      return;
    case kUid:
      draft.node.uid = kNobody;
      return;
    case kGid:
      draft.node.gid = kNobody;
      return;
    case kLinkTarget:
    case kLinkTargetRaw:
      pending.link_target_unreadable = true;
      return;
    case kDevice:
      pending.device_unreadable = true;
      return;
    case kContent:
      if (draft.content_count > 0) return;  // only some of the ids cannot be read
      // One id that no blob has: damage when the file is read, and not an empty file.
      draft.content_begin = content_.size();
      draft.content_count = 1;
      content_.emplace_back();
      return;
    default:
      return;  // as if it were not there
  }
}

void TreeParser::set_field(std::size_t field, json::Value& value, Draft& draft, Pending& pending) {
  Node& node = draft.node;
  switch (field) {
    case kName:
      return set_name(value, node, pending);
    case kType:
      pending.type_name = value.is_null() ? std::string_view() : value.quoted();
      pending.type = type_named(pending.type_name);
      return;
    case kMode: {
      const std::uint32_t mode = value.to_u32();
      node.has_mode = mode != 0;
      node.permissions = permissions_of(mode);
      return;
    }
    case kMtime:
      node.mtime = time_of(value);
      return;
    case kAtime:
      node.atime = time_of(value);
      return;
    case kCtime:
      node.ctime = time_of(value);
      return;
    case kUid:
      node.uid = value.to_u32();
      return;
    case kGid:
      node.gid = value.to_u32();
      return;
    case kUser:
      node.user = user_.get(*this, value);
      return;
    case kGroup:
      node.group = group_.get(*this, value);
      return;
    case kInode:
      node.inode = value.to_u64();
      return;
    case kDeviceId:
      node.device_id = value.to_u64();
      return;
    case kSize:
      node.size = value.to_u64();
      return;
    case kLinks:
      node.links = value.to_u64();
      return;
    case kLinkTarget:
      node.link_target = store_text(value);
      return;
    case kLinkTargetRaw:
      pending.link_target_raw = store_bytes(value.to_bytes());
      return;
    case kXattrs:
      return parse_xattrs(value, draft);
    case kDevice:
      node.device = value.to_u64();
      return;
    case kContent:
      return parse_content(value, draft);
    case kSubtree:
      if (!value.is_null()) node.subtree = value.to_id<BlobId>();
      return;
    default:
      return;
  }
}

void TreeParser::set_name(const json::Value& value, Node& node, Pending& pending) {
  const std::string_view quoted = value.is_null() ? std::string_view() : value.quoted();
  pending.name_unreadable = false;
  if (quoted.find('\\') == std::string_view::npos) {
    node.name = store_bytes(quoted);
    return;
  }
  unescaped_.clear();
  json::append_unescaped(quoted, unescaped_);
  const std::size_t begin = scratch_.size();
  pending.name_unreadable = !append_unquoted_name(unescaped_, scratch_);
  node.name = std::string_view(scratch_).substr(begin);
}

void TreeParser::parse_content(json::Value& value, Draft& draft) {
  draft.content_begin = content_.size();
  bool all_readable = true;
  value.each_element([&](const json::Value& id) {
    // A null id is damage, and so is one that cannot be read; as an id that no blob has, it is met
    // when the file is read.
    BlobId& added = content_.emplace_back();
    try {
      if (!id.is_null()) added = id.to_id<BlobId>();
    } catch (const json::BadValue&) {
      all_readable = false;
    }
  });
  draft.content_count = content_.size() - draft.content_begin;
  if (!all_readable) throw json::BadValue("an id cannot be read");
}

void TreeParser::parse_xattrs(json::Value& value, Draft& draft) {
  draft.xattrs_begin = xattrs_.size();
  bool all_readable = true;
  value.each_element([&](json::Value attribute) {
    ExtendedAttribute parsed;
    try {
      attribute.each_field([&](std::string_view key, const json::Value& field) {
        if (key == "name") parsed.name = store_text(field);
        if (key != "value") return;
        parsed.value = store_bytes(field.to_bytes());
        parsed.has_value = !field.is_null();
      });
    } catch (const json::BadValue&) {
      all_readable = false;
      return;
    }
    if (!parsed.name.empty()) xattrs_.push_back(parsed);
  });
  draft.xattrs_count = xattrs_.size() - draft.xattrs_begin;
  if (!all_readable) throw json::BadValue("an attribute cannot be read");
}

// Leaves nothing in the node that its type cannot have, or refuses it.
void TreeParser::keep(Draft draft, const Pending& pending) {
  Node& node = draft.node;
  if (pending.name_unreadable) return refuse(node.name, "has a name that cannot be read");
  if (const char* objection = objection_to_name(node.name)) {
    const bool is_root = node.name == "/" || node.name == ".";
    if (is_root && pending.type == NodeType::kDirectory) stand_in_ = node.subtree;
    return refuse(node.name, objection);
  }
  if (!pending.type) {
    return refuse(node.name, fmt::format("has the unknown type {}", shown(pending.type_name)),
                  Refusal::kOfType);
  }
  node.type = *pending.type;
  const bool is_device = node.type == NodeType::kBlockDevice || node.type == NodeType::kCharDevice;
  if (pending.link_target_unreadable && node.type == NodeType::kSymlink) {
    return refuse(node.name, "has a link target that cannot be read");
  }
  if (pending.device_unreadable && is_device) {
    return refuse(node.name, "has a device number that cannot be read");
  }
  if (!pending.unreadable_fields.empty()) {
    remark(fmt::format("node {} has fields that cannot be read: {}", shown(node.name),
                       pending.unreadable_fields));
  }
  if (!pending.link_target_raw.empty()) node.link_target = pending.link_target_raw;
  if (node.type != NodeType::kSymlink) node.link_target = {};
  if (node.type != NodeType::kDirectory) node.subtree.reset();
  if (!is_device) node.device = 0;
  if (node.type != NodeType::kFile) {
    node.size = 0;
    draft.content_count = 0;
  } else if (draft.content_count == 0 && node.size > 0) {
    // Content is missing, which must not read as an empty file.
    draft.content_begin = content_.size();
    draft.content_count = 1;
    content_.emplace_back();
  }
  drafts_.push_back(draft);
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
  const auto by_name = [](const Draft& draft) { return draft.node.name; };
  if (!std::ranges::is_sorted(drafts_, {}, by_name)) {
    std::ranges::stable_sort(drafts_, {}, by_name);
  }
}

// The first folder of several nodes of one name keeps it, so that the way to what lies in it stays
// as it is; without a folder, the first node does.
void TreeParser::rename_duplicates() {
  struct NewName {
    Draft* draft;
    std::string name;
  };
  std::vector<NewName> renamed;
  for (auto begin = drafts_.begin(); begin != drafts_.end();) {
    const std::string_view name = begin->node.name;
    auto end = std::find_if(begin + 1, drafts_.end(),
                            [&](const Draft& draft) { return draft.node.name != name; });
    if (end - begin > 1) {
      const auto folder = std::find_if(
          begin, end, [](const Draft& draft) { return draft.node.type == NodeType::kDirectory; });
      if (folder != end) std::rotate(begin, folder, folder + 1);
    }
    std::size_t number = 0;
    for (auto draft = begin + 1; draft != end; ++draft) {
      renamed.push_back({&*draft, unused_name(name, number)});
    }
    begin = end;
  }
  if (renamed.empty()) return;
  std::size_t bytes = 0;
  for (const NewName& each : renamed) bytes += each.name.size();
  new_names_.reserve(bytes);
  for (const NewName& each : renamed) {
    remark(fmt::format("node {} appears more than once, and one of them is called {}",
                       shown(each.draft->node.name), shown(each.name)));
    const std::size_t begin = new_names_.size();
    new_names_ += each.name;
    each.draft->node.name = std::string_view(new_names_).substr(begin);
  }
  sort();
  // Two long names of which the end was cut off may have become one.
  const auto same_name = [](const Draft& a, const Draft& b) { return a.node.name == b.node.name; };
  for (auto at = std::ranges::adjacent_find(drafts_, same_name); at != drafts_.end();
       at = std::adjacent_find(at + 1, drafts_.end(), same_name)) {
    refuse(at->node.name, "appears more than once");
  }
  drafts_.erase(std::unique(drafts_.begin(), drafts_.end(), same_name), drafts_.end());
}

// `name` with the next number behind it that makes a name which no node has. The drafts are sorted.
std::string TreeParser::unused_name(std::string_view name, std::size_t& number) const {
  const std::size_t longest = std::max(name.size(), kLongestShownName);
  for (;;) {
    const std::string suffix = fmt::format("-{}", ++number);
    std::string candidate(name.substr(0, longest - suffix.size()));
    candidate += suffix;
    const auto by_name = [](const Draft& draft) { return draft.node.name; };
    if (!std::ranges::binary_search(drafts_, std::string_view(candidate), {}, by_name)) {
      return candidate;
    }
  }
}

std::string_view TreeParser::store_text(const json::Value& value) {
  const std::size_t begin = scratch_.size();
  if (!value.is_null()) json::append_unescaped(value.quoted(), scratch_);
  return std::string_view(scratch_).substr(begin);
}

std::string_view TreeParser::store_bytes(std::string_view bytes) {
  const std::size_t begin = scratch_.size();
  scratch_ += bytes;
  return std::string_view(scratch_).substr(begin);
}

Timestamp TreeParser::time_of(const json::Value& value) {
  if (value.is_null()) return {};
  if (value.token() == last_time_token_) return last_time_;
  const auto time = parse_timestamp(value.quoted());
  if (!time) throw json::BadValue("not a time");
  last_time_token_ = value.token();
  last_time_ = *time;
  return *time;
}

std::string_view TreeParser::moved(std::string_view view, const std::string& text) const {
  if (view.empty()) return {};
  const std::less_equal<> not_after;
  const char* const begin = new_names_.data();
  const bool is_new = not_after(begin, view.data()) &&
                      not_after(view.data() + view.size(), begin + new_names_.size());
  const auto offset = is_new ? view.data() - begin + static_cast<std::ptrdiff_t>(scratch_.size())
                             : view.data() - scratch_.data();
  return {text.data() + offset, view.size()};
}

std::shared_ptr<const Tree> TreeParser::finish() {
  std::shared_ptr<Tree> tree(new Tree());
  tree->text_ = scratch_ + new_names_;
  tree->text_.shrink_to_fit();
  tree->content_ = std::vector<BlobId>(content_.begin(), content_.end());
  tree->xattrs_ = std::vector<ExtendedAttribute>(xattrs_.begin(), xattrs_.end());
  for (ExtendedAttribute& attribute : tree->xattrs_) {
    attribute.name = moved(attribute.name, tree->text_);
    attribute.value = moved(attribute.value, tree->text_);
  }
  tree->nodes_.reserve(drafts_.size());
  for (const Draft& draft : drafts_) {
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
