#include "repo/format/node_parser.h"

#include <fmt/format.h>

#include <utility>

#include "repo/base/log.h"
#include "repo/format/node_fields.h"
#include "repo/format/node_name.h"

namespace restree {
namespace {

// The owner where the backup's cannot be read: nobody, and never root.
constexpr std::uint32_t kNobody = 65534;

constexpr std::size_t kShownTypeBytes = 300;

bool is_device(const Node& node) {
  return node.type == NodeType::kBlockDevice || node.type == NodeType::kCharDevice;
}

}  // namespace

NodeParser::NodeParser(std::size_t json_bytes) {
  // No escape is shorter than what it stands for, so this is never outgrown. Pages that are not
  // written to cost nothing.
  text_.reserve(json_bytes);
}

void NodeParser::forget_nodes() {
  content_.clear();
  xattrs_.clear();
}

ParsedNode NodeParser::parse(json::Value value) {
  ParsedNode parsed;
  Pending pending;
  std::size_t next = 0;
  try {
    value.each_field([&](std::string_view key, json::Value field_value) {
      const std::size_t field = field_named(key, next);
      if (field == kFieldCount) return;
      next = field + 1;
      try {
        set_field(field, field_value, parsed.draft, pending);
      } catch (const json::BadValue&) {
        if (!parsed.unreadable_fields.empty()) parsed.unreadable_fields += ", ";
        parsed.unreadable_fields += key;
        do_without(field, parsed.draft, pending);
      }
    });
    finish(parsed, pending);
  } catch (const json::BadValue& bad) {
    parsed.objection = fmt::format("cannot be read ({})", bad.what());
  }
  return parsed;
}

void NodeParser::do_without(std::size_t field, NodeDraft& draft, Pending& pending) {
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
      // Otherwise only some of the ids cannot be read.
      if (draft.content_count == 0) set_unknown_content(draft);
      return;
    default:
      return;  // as if it were not there
  }
}

void NodeParser::set_unknown_content(NodeDraft& draft) {
  draft.content_begin = content_.size();
  draft.content_count = 1;
  content_.emplace_back();
}

void NodeParser::set_field(std::size_t field, json::Value& value, NodeDraft& draft,
                           Pending& pending) {
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

void NodeParser::set_name(const json::Value& value, Node& node, Pending& pending) {
  const std::string_view quoted = value.is_null() ? std::string_view() : value.quoted();
  pending.name_unreadable = false;
  if (quoted.find('\\') == std::string_view::npos) {
    node.name = store_bytes(quoted);
    return;
  }
  unescaped_.clear();
  json::append_unescaped(quoted, unescaped_);
  const std::size_t begin = text_.size();
  pending.name_unreadable = !append_unquoted_name(unescaped_, text_);
  node.name = std::string_view(text_).substr(begin);
}

void NodeParser::parse_content(json::Value& value, NodeDraft& draft) {
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

void NodeParser::parse_xattrs(json::Value& value, NodeDraft& draft) {
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

std::string_view NodeParser::store_text(const json::Value& value) {
  const std::size_t begin = text_.size();
  if (!value.is_null()) json::append_unescaped(value.quoted(), text_);
  return std::string_view(text_).substr(begin);
}

std::string_view NodeParser::store_bytes(std::string_view bytes) {
  const std::size_t begin = text_.size();
  text_ += bytes;
  return std::string_view(text_).substr(begin);
}

Timestamp NodeParser::time_of(const json::Value& value) {
  if (value.is_null()) return {};
  if (value.token() == last_time_token_) return last_time_;
  const auto time = parse_timestamp(value.quoted());
  if (!time) throw json::BadValue("not a time");
  last_time_token_ = value.token();
  last_time_ = *time;
  return *time;
}

// Leaves nothing in the node that its type cannot have, or objects to it.
void NodeParser::finish(ParsedNode& parsed, const Pending& pending) {
  NodeDraft& draft = parsed.draft;
  Node& node = draft.node;
  const auto refuse = [&](std::string objection) { parsed.objection = std::move(objection); };
  if (pending.name_unreadable) return refuse("has a name that cannot be read");
  if (const char* objection = objection_to_name(node.name)) {
    const bool is_root = node.name == "/" || node.name == ".";
    if (is_root && pending.type == NodeType::kDirectory) parsed.stand_in = node.subtree;
    return refuse(objection);
  }
  if (!pending.type) {
    parsed.is_of_unknown_type = true;
    return refuse(fmt::format("has the unknown type {}",
                              log::quoted(pending.type_name.substr(0, kShownTypeBytes))));
  }
  node.type = *pending.type;
  if (pending.link_target_unreadable && node.type == NodeType::kSymlink) {
    return refuse("has a link target that cannot be read");
  }
  if (pending.device_unreadable && is_device(node)) {
    return refuse("has a device number that cannot be read");
  }
  if (!pending.link_target_raw.empty()) node.link_target = pending.link_target_raw;
  if (node.type != NodeType::kSymlink) node.link_target = {};
  if (node.type != NodeType::kDirectory) node.subtree.reset();
  if (!is_device(node)) node.device = 0;
  if (node.type != NodeType::kFile) {
    node.size = 0;
    draft.content_count = 0;
  } else if (draft.content_count == 0 && node.size > 0) {
    set_unknown_content(draft);  // content is missing, which must not read as an empty file
  }
}

}  // namespace restree
