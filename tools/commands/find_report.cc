#include "tools/commands/find_report.h"

#include <fmt/core.h>

#include "repo/format/node_fields.h"
#include "repo/text/json_writer.h"

namespace restree {
namespace {

// The node's fields, without those that are long.
std::string match_object(const std::string& path, const Node& node) {
  JsonWriter json;
  const auto number_unless_zero = [&](std::string_view key, std::uint64_t value) {
    if (value != 0) json.key(key).number(value);
  };
  const auto text_unless_empty = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) json.key(key).text(value);
  };
  const std::uint32_t mode = go_mode(node);
  json.begin_object().key("path").text(path).key("permissions").text(mode_text(mode));
  json.key("type").text(name_of(node.type));
  number_unless_zero("mode", mode);
  append_times(node, json);
  json.key("uid").number(node.uid).key("gid").number(node.gid);
  text_unless_empty("user", node.user);
  text_unless_empty("group", node.group);
  number_unless_zero("inode", node.inode);
  number_unless_zero("device_id", node.device_id);
  number_unless_zero("size", node.size);
  number_unless_zero("links", node.links);
  text_unless_empty("linktarget", node.link_target);
  json.end_object();
  return json.json();
}

}  // namespace

void FindReport::match(const std::string& path, const Node& node) {
  if (output_.is_json()) {
    match_json(path, node);
    return;
  }
  if (shown_ != snapshot_) {
    output_.say(fmt::format("{}Found matching entries in snapshot {} from {}",
                            shown_ == nullptr ? "" : "\n", snapshot_->id.short_hex(),
                            local_time(snapshot_->time)));
    shown_ = snapshot_;
  }
  io_.out_line(style_.long_lines ? long_line(output_.shown(path), node, style_.sizes,
                                             output_.shown(node.link_target))
                                 : output_.shown(path));
}

void FindReport::match_json(const std::string& path, const Node& node) {
  if (!opened_) io_.out("[");
  opened_ = true;
  if (shown_ != snapshot_) {
    if (shown_ != nullptr) {
      end_group();
      io_.out(",");
    }
    io_.out("{\"matches\":[");
    shown_ = snapshot_;
    hits_ = 0;
  }
  if (hits_++ > 0) io_.out(",");
  io_.out(match_object(path, node));
}

void FindReport::end_group() {
  io_.out(fmt::format(R"(],"hits":{},"snapshot":"{}"}})", hits_, shown_->id.hex()));
}

void FindReport::object(std::string_view kind, const BlobId& id, const std::string& path,
                        const std::optional<BlobId>& parent) {
  if (!output_.is_json()) {
    std::string text = fmt::format("Found {} {}\n", kind, id.hex());
    if (parent) {
      text += fmt::format(" ... in file {}\n     (tree {})\n", path, parent->hex());
    } else {
      text += fmt::format(" ... path {}\n", path);
    }
    io_.out(text + fmt::format(" ... in snapshot {} ({})\n", snapshot_->id.short_hex(),
                               local_time(snapshot_->time)));
    return;
  }
  JsonWriter json;
  json.begin_object().key("object_type").text(kind).key("id").text(id.hex());
  json.key("path").text(path);
  if (parent) json.key("parent_tree").text(parent->hex());
  json.key("snapshot").text(snapshot_->id.hex());
  json.key("time").text(format_zoned_timestamp({snapshot_->time, snapshot_->time_offset_seconds}));
  json.end_object();
  io_.out((opened_ ? "," : "[") + json.json());
  opened_ = true;
}

void FindReport::finish() {
  if (!output_.is_json()) return;
  if (shown_ != nullptr) end_group();
  io_.out(opened_ ? "]\n" : "[]\n");
}

}  // namespace restree
