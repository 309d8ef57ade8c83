#include "repo/format/compact_tree.h"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <utility>

#include "repo/base/name_hash.h"
#include "repo/format/tree_parts.h"

namespace restree {
namespace {

// A number as base 128, the lowest seven bits first; the top bit says that more follow.
void append_number(std::string& bytes, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(number | 0x80);
  bytes += static_cast<char>(number);
}

// Small differences, up and down, become small numbers. Wraps around, so that every pair of numbers
// has a difference.
std::uint64_t folded_difference(std::uint64_t number, std::uint64_t base) {
  const std::uint64_t difference = number - base;
  const bool is_negative = difference >> 63 != 0;
  return is_negative ? ~(difference << 1) : difference << 1;
}

std::uint64_t unfolded(std::uint64_t folded, std::uint64_t base) {
  const std::uint64_t difference = (folded & 1) != 0 ? ~(folded >> 1) : folded >> 1;
  return base + difference;
}

// Reads what append_number() and append() have written.
class RecordReader {
 public:
  explicit RecordReader(const char* at) : at_(at) {}

  std::uint64_t number() {
    std::uint64_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      number |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return number;
    }
  }
  std::uint32_t small_number() { return static_cast<std::uint32_t>(number()); }
  std::string_view text() {
    const auto size = static_cast<std::size_t>(number());
    return {std::exchange(at_, at_ + size), size};
  }

 private:
  const char* at_;
};

}  // namespace

class CompactTree::Maker {
 public:
  // Adds the nodes of a tree, which come after those added before. `share`: how much of all nodes
  // they are, so that memory for all is taken at once and not doubled again and again.
  void add_all(const Tree& tree, double share) {
    const std::span<const Node> nodes = tree.nodes();
    if (made_->begins_.empty()) reserve(nodes, share);
    for (const Node& node : nodes) add(node);
    const std::vector<std::string> remarks = tree.remarks();
    made_->remarks_.insert(made_->remarks_.end(), remarks.begin(), remarks.end());
  }

  void stand_in(const std::optional<BlobId>& tree) { made_->stand_in_ = tree; }

  std::size_t size() const { return made_->begins_.size(); }
  std::string_view last_name() const { return made_->name(size() - 1); }

  std::shared_ptr<const CompactTree> finish() {
    give_back_unused(made_->records_);
    give_back_unused(made_->begins_);
    give_back_unused(made_->ids_);
    give_back_unused(made_->commons_);
    give_back_unused(made_->xattr_lists_);
    give_back_unused(made_->xattr_text_);
    made_->xattrs_.reserve(kept_.size());
    const std::string_view text = made_->xattr_text_;
    for (const KeptXattr& kept : kept_) made_->xattrs_.push_back(kept.in(text));
    made_->memory_bytes_ = made_->count_memory();
    return std::move(made_);
  }

 private:
  using Lists = std::unordered_multimap<std::uint64_t, std::uint32_t>;

  // An attribute whose text is in xattr_text_, which still moves.
  struct KeptXattr {
    std::size_t begin;
    std::size_t name_size;
    std::size_t value_size;
    bool has_value;
    ExtendedAttribute in(std::string_view text) const {
      return {text.substr(begin, name_size), text.substr(begin + name_size, value_size), has_value};
    }
  };

  void reserve(std::span<const Node> nodes, double share) {
    if (nodes.empty()) return;
    made_->base_seconds_ = nodes.front().mtime.seconds;
    made_->base_inode_ = nodes.front().inode;
    std::size_t ids = 0;
    std::size_t text = 0;
    for (const Node& node : nodes) {
      ids += node.content.size() + (node.subtree ? 1 : 0);
      text += node.name.size() + node.link_target.size();
    }
    const auto of_all = [share](std::size_t count) {
      return static_cast<std::size_t>(static_cast<double>(count) / share);
    };
    made_->ids_.reserve(of_all(ids));
    made_->begins_.reserve(of_all(nodes.size()));
    made_->records_.reserve(of_all(text + nodes.size() * kUsualNumberBytes));
  }

  void add(const Node& node) {
    std::string& record = made_->records_;
    made_->begins_.push_back(static_cast<std::uint32_t>(record.size()));
    append_text(node.name);
    append_number(record, common_of(node));
    append_time(node.mtime, {made_->base_seconds_, 0});
    append_time(node.atime, node.mtime);
    append_time(node.ctime, node.mtime);
    append_number(record, folded_difference(node.inode, made_->base_inode_));
    append_number(record, node.size);
    append_number(record, made_->ids_.size());
    append_number(record, node.content.size() << 1 | (node.subtree ? 1U : 0U));
    made_->ids_.insert(made_->ids_.end(), node.content.begin(), node.content.end());
    if (node.subtree) made_->ids_.push_back(*node.subtree);
    append_text(node.link_target);
    append_number(record, xattr_list_of(node.xattrs));
  }

  void append_text(std::string_view text) {
    append_number(made_->records_, text.size());
    made_->records_ += text;
  }

  void append_time(Timestamp time, Timestamp base) {
    append_number(made_->records_, folded_difference(static_cast<std::uint64_t>(time.seconds),
                                                     static_cast<std::uint64_t>(base.seconds)));
    append_number(made_->records_, folded_difference(time.nanoseconds, base.nanoseconds));
  }

  static bool has_common(const Common& common, const Node& node) {
    return common.type == node.type && common.has_mode == node.has_mode &&
           common.permissions == node.permissions && common.uid == node.uid &&
           common.gid == node.gid && common.device_id == node.device_id &&
           common.links == node.links && common.device == node.device && common.user == node.user &&
           common.group == node.group;
  }

  // Neighbours are alike, as a rule; the others are found by their hash.
  std::uint32_t common_of(const Node& node) {
    std::vector<Common>& commons = made_->commons_;
    if (!commons.empty() && has_common(commons[last_common_], node)) return last_common_;
    std::uint64_t hash = hash_name(hash_name(node.links, node.user), node.group);
    for (const std::uint64_t number :
         {std::uint64_t{node.uid}, std::uint64_t{node.gid}, node.device_id, node.device,
          std::uint64_t{node.permissions} << 8 | static_cast<std::uint64_t>(node.type)}) {
      hash = mix64(hash ^ number);
    }
    const auto [begin, end] = commons_by_hash_.equal_range(hash);
    for (auto at = begin; at != end; ++at) {
      if (has_common(commons[at->second], node)) return last_common_ = at->second;
    }
    last_common_ = static_cast<std::uint32_t>(commons.size());
    commons_by_hash_.emplace(hash, last_common_);
    commons.push_back({.type = node.type,
                       .has_mode = node.has_mode,
                       .permissions = node.permissions,
                       .uid = node.uid,
                       .gid = node.gid,
                       .device_id = node.device_id,
                       .links = node.links,
                       .device = node.device,
                       .user = std::string(node.user),
                       .group = std::string(node.group)});
    return last_common_;
  }

  // 0 for none; otherwise one more than the place in the table. Lists repeat, too: a folder's files
  // mostly have the same label and the same ACL.
  std::uint32_t xattr_list_of(std::span<const ExtendedAttribute> xattrs) {
    if (xattrs.empty()) return 0;
    std::uint64_t hash = 0;
    for (const ExtendedAttribute& xattr : xattrs) {
      hash = hash_name(hash_name(hash, xattr.name), xattr.value);
    }
    const auto [begin, end] = lists_by_hash_.equal_range(hash);
    for (auto at = begin; at != end; ++at) {
      if (is_list(made_->xattr_lists_[at->second], xattrs)) return at->second + 1;
    }
    const auto added = static_cast<std::uint32_t>(made_->xattr_lists_.size());
    lists_by_hash_.emplace(hash, added);
    made_->xattr_lists_.push_back({.begin = static_cast<std::uint32_t>(kept_.size()),
                                   .count = static_cast<std::uint32_t>(xattrs.size())});
    for (const ExtendedAttribute& xattr : xattrs) {
      kept_.push_back(
          {made_->xattr_text_.size(), xattr.name.size(), xattr.value.size(), xattr.has_value});
      made_->xattr_text_.append(xattr.name).append(xattr.value);
    }
    return added + 1;
  }

  bool is_list(const XattrList& list, std::span<const ExtendedAttribute> xattrs) const {
    const std::span<const KeptXattr> kept = std::span(kept_).subspan(list.begin, list.count);
    return std::ranges::equal(kept, xattrs, [&](const KeptXattr& a, const ExtendedAttribute& b) {
      const ExtendedAttribute known = a.in(made_->xattr_text_);
      return known.name == b.name && known.value == b.value && known.has_value == b.has_value;
    });
  }

  // Unless so little is unused that to move all is not worth it.
  template <class Container>
  static void give_back_unused(Container& container) {
    if (container.capacity() - container.size() > container.size() / 32) container.shrink_to_fit();
  }

  // All numbers of a usual record.
  static constexpr std::size_t kUsualNumberBytes = 32;

  std::shared_ptr<CompactTree> made_{new CompactTree()};
  std::uint32_t last_common_ = 0;
  Lists commons_by_hash_;
  Lists lists_by_hash_;
  std::vector<KeptXattr> kept_;
};

std::size_t CompactTree::count_memory() const {
  std::size_t bytes = sizeof(CompactTree) + records_.capacity() + xattr_text_.capacity() +
                      begins_.capacity() * sizeof begins_.front() +
                      commons_.capacity() * sizeof commons_.front() +
                      ids_.capacity() * sizeof ids_.front() +
                      xattr_lists_.capacity() * sizeof xattr_lists_.front() +
                      xattrs_.capacity() * sizeof xattrs_.front();
  for (const Common& common : commons_) bytes += common.user.capacity() + common.group.capacity();
  for (const std::string& line : remarks_) bytes += sizeof(std::string) + line.capacity();
  return bytes;
}

std::shared_ptr<const CompactTree> CompactTree::make(const Tree& tree) {
  Maker maker;
  maker.add_all(tree, 1);
  maker.stand_in(tree.stand_in());
  return maker.finish();
}

// nullptr: this is not a tree as programs write it, or it has odd nodes. All about those is decided
// in one place, which has to see the whole.
std::shared_ptr<const CompactTree> CompactTree::parse_in_parts(std::string_view json,
                                                               std::size_t part_bytes) {
  const std::optional<std::string_view> nodes = only_nodes_of(json);
  if (!nodes) return nullptr;
  Maker maker;
  std::string part;
  for (std::size_t begin = 0; begin < nodes->size();) {
    const std::size_t end = next_node(*nodes, std::min(begin + part_bytes, nodes->size()));
    // Without the comma before the next node.
    const std::size_t size = end - begin - (end < nodes->size() ? 1 : 0);
    if (!is_one_list(nodes->substr(begin, size))) return nullptr;
    part.assign(kTreeOfNodesBegin).append(nodes->substr(begin, size)).append(kTreeOfNodesEnd);
    const auto tree = Tree::parse(as_bytes(part));
    if (!tree || !(*tree)->remarks().empty() || (*tree)->nodes().empty()) return nullptr;
    if (maker.size() > 0 && maker.last_name() >= (*tree)->nodes().front().name) return nullptr;
    maker.add_all(**tree, static_cast<double>(size) / static_cast<double>(nodes->size()));
    begin = end;
  }
  return maker.finish();
}

Result<std::shared_ptr<const CompactTree>> CompactTree::parse(ByteView json,
                                                              std::size_t part_bytes) {
  if (json.size() > part_bytes) {
    if (auto tree = parse_in_parts(as_text(json), part_bytes)) return tree;
  }
  ASSIGN_OR_RETURN(const SharedTree tree, Tree::parse(json));
  return make(*tree);
}

Node CompactTree::node(std::size_t position) const {
  RecordReader record(records_.data() + begins_[position]);
  Node node{};
  node.name = record.text();
  const Common& common = commons_[record.small_number()];
  node.type = common.type;
  node.has_mode = common.has_mode;
  node.permissions = common.permissions;
  node.uid = common.uid;
  node.gid = common.gid;
  node.device_id = common.device_id;
  node.links = common.links;
  node.device = common.device;
  node.user = common.user;
  node.group = common.group;
  const auto time_from = [&](Timestamp base) {
    const std::uint64_t seconds =
        unfolded(record.number(), static_cast<std::uint64_t>(base.seconds));
    return Timestamp{
        static_cast<std::int64_t>(seconds),
        static_cast<std::uint32_t>(unfolded(record.number(), std::uint64_t{base.nanoseconds}))};
  };
  node.mtime = time_from({base_seconds_, 0});
  node.atime = time_from(node.mtime);
  node.ctime = time_from(node.mtime);
  node.inode = unfolded(record.number(), base_inode_);
  node.size = record.number();
  const auto first_id = static_cast<std::size_t>(record.number());
  const std::uint64_t count = record.number();
  node.content = std::span(ids_).subspan(first_id, static_cast<std::size_t>(count >> 1));
  if ((count & 1) != 0) node.subtree = ids_[first_id + node.content.size()];
  node.link_target = record.text();
  if (const std::uint32_t list = record.small_number(); list != 0) {
    const XattrList& place = xattr_lists_[list - 1];
    node.xattrs = std::span(xattrs_).subspan(place.begin, place.count);
  }
  return node;
}

std::string_view CompactTree::name(std::size_t position) const {
  return RecordReader(records_.data() + begins_[position]).text();
}

std::optional<std::uint32_t> CompactTree::find(std::string_view wanted) const {
  std::size_t begin = 0;
  std::size_t end = begins_.size();
  while (begin < end) {
    const std::size_t middle = begin + (end - begin) / 2;
    if (name(middle) < wanted) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  if (begin == begins_.size() || name(begin) != wanted) return std::nullopt;
  return static_cast<std::uint32_t>(begin);
}

}  // namespace restree
