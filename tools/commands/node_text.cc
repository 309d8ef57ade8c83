#include "tools/commands/node_text.h"

#include <fmt/core.h>

#include "repo/format/node_fields.h"
#include "repo/system/time_zone.h"
#include "tools/output/human.h"

namespace restree {

std::uint32_t go_mode(const Node& node) {
  return node.has_mode ? go_mode_of(node.type, node.permissions) : 0;
}

std::string mode_text(std::uint32_t go_mode) {
  constexpr std::string_view kKinds = "dalTLDpSugct?";  // from the highest bit down
  constexpr std::string_view kPermissions = "rwxrwxrwx";
  std::string text;
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if ((go_mode >> (31 - i) & 1) != 0) text += kKinds[i];
  }
  if (text.empty()) text += '-';
  for (std::size_t i = 0; i < kPermissions.size(); ++i) {
    text += (go_mode >> (8 - i) & 1) != 0 ? kPermissions[i] : '-';
  }
  return text;
}

std::string local_timestamp(Timestamp time) {
  std::string text;
  append_timestamp(time, TimeZone::local(), text);
  return text;
}

std::string local_time(Timestamp time) {
  std::string text = local_timestamp(time).substr(0, 19);
  text[10] = ' ';
  return text;
}

std::string go_time(ZonedTimestamp time) {
  std::string text = format_zoned_timestamp(time);
  text[10] = ' ';
  if (text.ends_with('Z')) return text.substr(0, text.size() - 1) + " +0000 UTC";
  const std::size_t sign = text.size() - 6;
  std::string zone = text.substr(sign);
  zone.erase(3, 1);
  return text.substr(0, sign) + " " + zone + " " + zone;
}

std::string long_line(std::string_view path, const Node& node, Sizes sizes) {
  return long_line(path, node, sizes, node.link_target);
}

std::string long_line(std::string_view path, const Node& node, Sizes sizes,
                      std::string_view link_target) {
  const std::string size =
      sizes == Sizes::kHuman ? format_bytes(node.size) : fmt::format("{:6}", node.size);
  std::string line = fmt::format("{} {:5} {:5} {} {} {}", mode_text(go_mode(node)), node.uid,
                                 node.gid, size, local_time(node.mtime), path);
  if (node.type == NodeType::kSymlink) line += fmt::format(" -> {}", link_target);
  return line;
}

void append_times(const Node& node, JsonWriter& json) {
  json.key("mtime").text(local_timestamp(node.mtime));
  json.key("atime").text(local_timestamp(node.atime));
  json.key("ctime").text(local_timestamp(node.ctime));
}

}  // namespace restree
