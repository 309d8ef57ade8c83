#include <string>
#include <string_view>
#include <vector>

#include "repo/format/tree_text.h"
#include "tests/fuzz/fuzz_target.h"

using restree::BlobId;
using restree::must;
using restree::NodeText;

namespace {

// A node's JSON as the only one of a tree.
NodeText reread(std::string& json) {
  json = R"({"nodes":[)" + json + "]}";
  auto tree = restree::parse_tree_text(restree::as_bytes(json));
  must(tree.has_value() && tree->nodes.size() == 1);
  return tree->nodes.front();
}

void change(const NodeText& node) {
  const BlobId id{{std::byte{1}}};
  if (node.is_folder()) {
    std::string json = restree::with_subtree(node, id);
    const NodeText changed = reread(json);
    must(changed.subtree == id && changed.name == node.name && changed.is_folder());
  }
  if (!node.is_file()) return;
  for (const std::uint64_t size : {0U, 7U}) {
    std::string json = restree::with_content(node, {id, id}, size);
    const NodeText changed = reread(json);
    must(changed.name == node.name && changed.is_file());
    must(changed.subtree == node.subtree);
    const restree::NodeContent content = restree::content_of(changed);
    must(content.is_list && content.ids.size() == 2 && content.ids[1] == id);
    // Of a field that is there twice only the last one is changed.
    must(changed.size == size || (size == 0 && changed.size_json.data() != nullptr));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const restree::ByteView input = restree::fuzz_input(data, size);
  const auto tree = restree::parse_tree_text(input);
  if (!tree) return 0;
  std::vector<std::string_view> nodes;
  for (const NodeText& node : tree->nodes) {
    nodes.push_back(node.json);
    must(restree::content_of(node).ids.size() <= size);
    change(node);
  }
  if (nodes.empty()) return 0;
  const std::string json = restree::write_tree_text(*tree, nodes);
  const auto again = restree::parse_tree_text(restree::as_bytes(json));
  must(again.has_value() && again->nodes.size() == nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) must(again->nodes[i].json == nodes[i]);
  return 0;
}
