#include "repo/format/tree_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "repo/format/node_name.h"
#include "repo/text/json_reader.h"

namespace restree {
namespace {

void set_field(std::string_view key, json::Value& value, NodeText& node) {
  if (key == "name") {
    std::string name;
    node.name.clear();
    const bool is_readable = append_unquoted_name(value.to_text(), name);
    if (is_readable) node.name = std::move(name);
  } else if (key == "type") {
    node.type.clear();
    node.type = value.to_text();
  } else if (key == "size") {
    node.size_json = value.text();
    node.size = 0;
    node.size = value.to_u64();
  } else if (key == "links") {
    node.links_json = value.text();
  } else if (key == "content") {
    node.content_json = value.text();
  } else if (key == "subtree") {
    node.subtree_json = value.text();
    node.subtree.reset();
    if (!value.is_null()) node.subtree = value.to_id<BlobId>();
  }
}

NodeText parse_node(json::Value& value) {
  if (value.is_null()) throw json::BadJson("a node is missing");
  NodeText node;
  value.each_field([&](std::string_view key, json::Value field) {
    try {
      set_field(key, field, node);
    } catch (const json::BadValue&) {
      return;  // as if it were not there
    }
  });
  node.json = value.text();
  return node;
}

// Replaces a part of a text. An empty part is a place to insert at.
struct Edit {
  std::string_view part;
  std::string by;
};

std::string edited(std::string_view text, std::vector<Edit> edits) {
  std::ranges::stable_sort(edits, {}, [](const Edit& edit) { return edit.part.data(); });
  std::string result;
  std::string_view rest = text;
  for (const Edit& edit : edits) {
    const auto before = static_cast<std::size_t>(edit.part.data() - rest.data());
    result += rest.substr(0, before);
    result += edit.by;
    rest.remove_prefix(before + edit.part.size());
  }
  return result += rest;
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// Where the field begins whose value this is: at the first quote of its name, which has none inside.
const char* name_before(std::string_view value) {
  const char* at = value.data();
  while (*--at != '"') continue;
  while (*--at != '"') continue;
  return at;
}

// The field with its value and the comma that separates it from the others.
std::string_view whole_field(std::string_view value) {
  const char* begin = name_before(value);
  const char* end = value.data() + value.size();
  const char* after = end;
  while (is_space(*after)) ++after;  // a bracket closes the object at the latest
  if (*after == ',') {
    end = after + 1;
  } else {
    const char* before = begin;
    while (is_space(*(before - 1))) --before;
    if (*(before - 1) == ',') begin = before - 1;
  }
  return {begin, static_cast<std::size_t>(end - begin)};
}

Edit insertion(const char* at, std::string text) { return {{at, 0}, std::move(text)}; }

// Puts a field behind all others.
Edit appended(std::string_view object, const std::string& field) {
  const char* at = object.data() + object.size() - 1;
  const char* last = at;
  while (is_space(*(last - 1))) --last;
  return insertion(at, *(last - 1) == '{' ? field : "," + field);
}

std::optional<Edit> size_edit(const NodeText& node, std::uint64_t size) {
  if (node.size_json.data() != nullptr) {
    if (size == 0) return Edit{whole_field(node.size_json), ""};
    return Edit{node.size_json, std::to_string(size)};
  }
  if (size == 0) return std::nullopt;
  const std::string field = fmt::format(R"("size":{})", size);
  for (const std::string_view next : {node.links_json, node.content_json}) {
    if (next.data() != nullptr) return insertion(name_before(next), field + ",");
  }
  return appended(node.json, field);
}

}  // namespace

Result<TreeText> parse_tree_text(ByteView json) {
  const std::string_view text = as_text(json);
  TreeText tree{text, {}, {}};
  RETURN_IF_ERROR(json::read_json(json, "tree", [&](json::Root root) {
    bool has_nodes = false;
    root.each_field([&](std::string_view key, json::Value value) {
      if (key != "nodes") return;
      if (std::exchange(has_nodes, true)) throw json::BadJson("two lists of nodes");
      value.each_element([&](json::Value node) { tree.nodes.push_back(parse_node(node)); });
      const std::string_view list = value.text();
      const auto begin = static_cast<std::size_t>(list.data() - text.data());
      tree.begin = text.substr(0, begin + 1);
      tree.end = text.substr(begin + list.size() - 1);
    });
    if (!has_nodes) throw json::BadJson("no nodes");
  }));
  return tree;
}

std::string write_tree_text(const TreeText& tree, std::span<const std::string_view> nodes) {
  std::string json(tree.begin);
  std::string_view separator;
  for (const std::string_view node : nodes) {
    json += std::exchange(separator, ",");
    json += node;
  }
  return json += tree.end;
}

NodeContent content_of(const NodeText& node) {
  NodeContent content;
  content.is_list = node.content_json.starts_with('[');
  if (!content.is_list) return content;
  const Status read = json::read_json(as_bytes(node.content_json), "content", [&](json::Root root) {
    root.each_element([&](const json::Value& id) {
      std::optional<BlobId>& added = content.ids.emplace_back();
      try {
        added = id.to_id<BlobId>();
      } catch (const json::BadValue&) {
        return;
      }
    });
  });
  // What is behind a place that is not JSON is unknown, and missing.
  if (!read) content.ids.emplace_back();
  return content;
}

std::string with_subtree(const NodeText& node, const BlobId& subtree) {
  const std::string value = "\"" + subtree.hex() + "\"";
  if (node.subtree_json.data() != nullptr) return edited(node.json, {{node.subtree_json, value}});
  return edited(node.json, {appended(node.json, "\"subtree\":" + value)});
}

std::string with_content(const NodeText& node, const std::vector<BlobId>& content,
                         std::uint64_t size) {
  std::string list = "[";
  for (const BlobId& id : content) list += (list.size() > 1 ? ",\"" : "\"") + id.hex() + "\"";
  list += "]";
  std::vector<Edit> edits;
  if (auto edit = size_edit(node, size)) edits.push_back(std::move(*edit));
  if (node.content_json.data() != nullptr) {
    edits.push_back({node.content_json, std::move(list)});
  } else {
    edits.push_back(appended(node.json, "\"content\":" + list));
  }
  return edited(node.json, std::move(edits));
}

}  // namespace restree
