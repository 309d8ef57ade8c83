#include <algorithm>
#include <functional>

#include "repo/format/compact_tree.h"
#include "repo/format/tree.h"
#include "tests/fuzz/fuzz_target.h"

using restree::must;
using restree::Node;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const restree::ByteView input = restree::fuzz_input(data, size);
  const auto tree = restree::Tree::parse(input);
  // In parts as small as can be.
  const auto compact = restree::CompactTree::parse(input, 1);
  must(compact.has_value() == tree.has_value());
  if (!tree) return 0;
  const auto nodes = (*tree)->nodes();
  must(std::ranges::is_sorted(nodes, std::ranges::less_equal(), &Node::name));
  must((*compact)->nodes().size() == nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    must(restree::is_same_node((*compact)->nodes()[i], nodes[i]));
  }
  std::size_t bytes_seen = 0;
  for (const Node& node : nodes) {
    must(!node.name.empty() && node.name != "." && node.name != "..");
    must(node.name.find('/') == node.name.npos && node.name.find('\0') == node.name.npos);
    must((*tree)->find(node.name) == &node);
    must(node.permissions <= 07777 && node.mtime.nanoseconds < 1'000'000'000);
    // Reads every view to its end, for the sanitizer to see.
    for (const std::string_view text : {node.name, node.link_target, node.user, node.group}) {
      bytes_seen += static_cast<std::size_t>(std::ranges::count(text, 'x'));
    }
    for (const auto& id : node.content) bytes_seen += id.is_null() ? 1 : 0;
    for (const auto& xattr : node.xattrs) {
      bytes_seen += static_cast<std::size_t>(std::ranges::count(xattr.value, 'x'));
      must(!xattr.name.empty());
    }
  }
  must(bytes_seen <= size);
  must((*tree)->refused().size() <= 21 && (*tree)->odd().size() <= 21);
  return 0;
}
