#include "tools/commands/ncdu_listing.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

#include "repo/text/json_writer.h"

namespace restree {
namespace {

constexpr std::uint64_t kBlockSize = 512;

std::string indent(std::size_t depth) { return std::string().append(2 * depth, ' '); }

std::string fields_of(const Node& node) {
  const bool is_regular = node.type == NodeType::kFile || node.type == NodeType::kDirectory;
  // ncdu does not take times before 1970.
  const std::int64_t seconds = std::max<std::int64_t>(node.mtime.seconds, 0);
  JsonWriter json;
  json.begin_object().key("name").text(node.name).key("asize").number(node.size);
  json.key("dsize").number((node.size + kBlockSize - 1) / kBlockSize * kBlockSize);
  json.key("dev").number(node.device_id).key("ino").number(node.inode);
  json.key("nlink").number(node.links).key("notreg").boolean(!is_regular);
  json.key("uid").number(node.uid).key("gid").number(node.gid);
  json.key("mode").number(node.has_mode ? node.permissions : 0U);
  json.key("mtime").number(static_cast<std::uint64_t>(seconds)).end_object();
  return json.json();
}

}  // namespace

std::string NcduListing::begin(const Snapshot& snapshot) {
  JsonWriter json;
  json.begin_object();
  append_snapshot_fields(snapshot, json);
  json.end_object();
  depth_ = 1;
  return fmt::format(R"([1, 2, {}, [{{"name":"/"}})", json.json());
}

std::string NcduListing::node(const Node& node) {
  const std::string before = ",\n" + indent(depth_);
  if (node.type != NodeType::kDirectory) return before + fields_of(node);
  ++depth_;
  return before + "[\n" + indent(depth_) + fields_of(node);
}

std::string NcduListing::leave() {
  --depth_;
  return "\n" + indent(depth_) + "]";
}

std::string NcduListing::end() const { return "\n]\n]\n"; }

}  // namespace restree
