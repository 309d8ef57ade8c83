#include "repo/format/tree_parts.h"

#include <string>

#include "repo/text/json_reader.h"

namespace restree {
namespace {

constexpr std::string_view kNextNode = R"(},{"name":")";
constexpr std::string_view kSecondField = R"(,"type":)";

// Where the string ends whose inside begins at `at`: behind its closing quote, npos if it has none.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<std::string_view> only_nodes_of(std::string_view json) {
  while (!json.empty() && json.back() == '\n') json.remove_suffix(1);
  if (!json.starts_with(kTreeOfNodesBegin) || !json.ends_with(kTreeOfNodesEnd)) return std::nullopt;
  json.remove_prefix(kTreeOfNodesBegin.size());
  if (json.size() < kTreeOfNodesEnd.size()) return std::nullopt;
  json.remove_suffix(kTreeOfNodesEnd.size());
  return json;
}

std::size_t next_node(std::string_view nodes, std::size_t from) {
  for (;;) {
    const std::size_t found = nodes.find(kNextNode, from);
    if (found == std::string_view::npos) return nodes.size();
    const std::size_t name_end = end_of_string(nodes, found + kNextNode.size());
    if (name_end == std::string_view::npos) return nodes.size();
    if (nodes.substr(name_end).starts_with(kSecondField)) return found + 2;
    from = found + 1;
  }
}

bool is_one_list(std::string_view elements) {
  std::string text = "[[";
  text.append(elements).append("]]");
  std::size_t lists = 0;
  const Status read = json::read_json(as_bytes(text), "tree", [&](json::Root root) {
    root.each_element([&](json::Value list) {
      ++lists;
      list.each_element([](const json::Value&) {});
    });
  });
  return read && lists == 1;
}

}  // namespace restree
