#include "repo/format/tree_references.h"

#include "repo/text/json_reader.h"

namespace restree {

Result<TreeReferences> find_references(ByteView json) {
  TreeReferences found;
  const auto read_node = [&](std::string_view key, json::Value value) {
    if (key == "subtree" && !value.is_null()) found.trees.push_back(value.to_id<BlobId>());
    if (key != "content") return;
    value.each_element([&](const json::Value& id) { found.data.push_back(id.to_id<BlobId>()); });
  };
  RETURN_IF_ERROR(json::read_json(json, "tree", [&](json::Root root) {
    bool has_nodes = false;
    root.each_field([&](std::string_view key, json::Value value) {
      if (key != "nodes") return;
      has_nodes = true;
      value.each_element([&](json::Value node) { node.each_field(read_node); });
    });
    if (!has_nodes) throw json::BadJson("no nodes");
  }));
  return found;
}

}  // namespace restree
