#include "repo/format/tree_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "repo/base/log.h"
#include "repo/format/node_fields.h"
#include "repo/text/go_quote.h"
#include "repo/text/json_writer.h"
#include "repo/text/utf8.h"

namespace restree {
namespace {

bool is_plain_ascii(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const DecodedRune decoded = decode_utf8(text);
    if (decoded.length == 0) return false;
    text.remove_prefix(decoded.length);
  }
  return true;
}

}  // namespace

TreeWriter::TreeWriter(const TimeZone& zone) : zone_(&zone) { begin(); }

void TreeWriter::begin() {
  json_ = R"({"nodes":[)";
  last_name_.clear();
}

Status TreeWriter::append(const Node& node) {
  if (node.name <= last_name_) {  // no name is empty, so the first one passes
    return Error(ErrorKind::kInvalid, fmt::format("tree: {} does not come after {}",
                                                  log::quoted(node.name), log::quoted(last_name_)));
  }
  if (!last_name_.empty()) json_ += ',';
  last_name_ = node.name;

  json_ += '{';
  append_name(node.name);
  append_text_field(R"(,"type":)", name_of(node.type));
  const std::uint32_t mode = node.has_mode ? go_mode_of(node.type, node.permissions) : 0;
  if (mode != 0) append_number_field(R"(,"mode":)", mode);
  append_times(node);
  append_number_field(R"(,"uid":)", node.uid);
  append_number_field(R"(,"gid":)", node.gid);
  if (!node.user.empty()) append_text_field(R"(,"user":)", node.user);
  if (!node.group.empty()) append_text_field(R"(,"group":)", node.group);
  if (node.inode != 0) append_number_field(R"(,"inode":)", node.inode);
  if (node.device_id != 0) append_number_field(R"(,"device_id":)", node.device_id);
  if (node.size != 0) append_number_field(R"(,"size":)", node.size);
  append_links(node);
  append_xattrs(node);
  if (node.device != 0) append_number_field(R"(,"device":)", node.device);
  append_content(node);
  json_ += '}';
  return {};
}

std::string TreeWriter::finish() {
  json_ += "]}\n";
  std::string blob = std::exchange(json_, {});
  begin();
  return blob;
}

void TreeWriter::append_text_field(std::string_view key, std::string_view value) {
  json_ += key;
  append_json_text(value, json_);
}

void TreeWriter::append_number_field(std::string_view key, std::uint64_t value) {
  const fmt::format_int digits(value);
  json_ += key;
  json_.append(digits.data(), digits.size());
}

void TreeWriter::append_name(std::string_view name) {
  if (!is_plain_ascii(name)) {
    quoted_.clear();
    append_go_quoted(name, quoted_);
    name = quoted_;
  }
  append_text_field(R"("name":)", name);
}

void TreeWriter::append_times(const Node& node) {
  json_ += R"(,"mtime":")";
  const std::size_t begin = json_.size();
  append_timestamp(node.mtime, *zone_, json_);
  const std::size_t length = json_.size() - begin;
  json_ += R"(","atime":")";
  if (node.atime == node.mtime) {  // unless asked to record it
    json_.append(json_, begin, length);
  } else {
    append_timestamp(node.atime, *zone_, json_);
  }
  json_ += R"(","ctime":")";
  append_timestamp(node.ctime, *zone_, json_);
  json_ += '"';
}

void TreeWriter::append_links(const Node& node) {
  if (node.links != 0) append_number_field(R"(,"links":)", node.links);
  if (node.link_target.empty()) return;
  append_text_field(R"(,"linktarget":)", node.link_target);
  if (is_utf8(node.link_target)) return;
  append_text_field(R"(,"linktarget_raw":)", to_base64(as_bytes(node.link_target)));
}

void TreeWriter::append_xattrs(const Node& node) {
  if (node.xattrs.empty()) return;
  json_ += R"(,"extended_attributes":[)";
  bool is_first = true;
  for (const ExtendedAttribute& attribute : node.xattrs) {
    append_text_field(std::exchange(is_first, false) ? R"({"name":)" : R"(,{"name":)",
                      attribute.name);
    if (attribute.has_value) {
      append_text_field(R"(,"value":)", to_base64(as_bytes(attribute.value)));
    } else {
      json_ += R"(,"value":null)";
    }
    json_ += '}';
  }
  json_ += ']';
}

void TreeWriter::append_content(const Node& node) {
  json_ += R"(,"content":)";
  if (node.type != NodeType::kFile) {
    json_ += "null";
    if (node.subtree) append_text_field(R"(,"subtree":)", node.subtree->hex());
    return;
  }
  json_ += '[';
  for (const BlobId& id : node.content) {
    if (&id != node.content.data()) json_ += ',';
    json_ += '"';
    append_hex(id.bytes, json_);
    json_ += '"';
  }
  json_ += ']';
}

}  // namespace restree
