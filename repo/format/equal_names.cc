#include "repo/format/equal_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace restree {
namespace {

// What Linux takes for a name.
constexpr std::size_t kLongestShownName = 255;

std::string_view name_of(const Node* node) { return node->name; }

// `name` with the next number behind it that makes a name which no node has.
std::string unused_name(std::span<const Node* const> nodes, std::string_view name,
                        std::size_t& number) {
  const std::size_t longest = std::max(name.size(), kLongestShownName);
  for (;;) {
    const std::string suffix = fmt::format("-{}", ++number);
    std::string candidate(name.substr(0, longest - suffix.size()));
    candidate += suffix;
    if (!std::ranges::binary_search(nodes, std::string_view(candidate), {}, name_of)) {
      return candidate;
    }
  }
}

}  // namespace

std::vector<NewName> names_for_equals(std::span<const Node* const> nodes) {
  std::vector<NewName> renamed;
  for (std::size_t begin = 0; begin < nodes.size();) {
    const std::string_view name = nodes[begin]->name;
    std::size_t end = begin + 1;
    while (end < nodes.size() && nodes[end]->name == name) ++end;
    std::size_t keeps = begin;
    while (keeps < end && nodes[keeps]->type != NodeType::kDirectory) ++keeps;
    if (keeps == end) keeps = begin;
    std::size_t number = 0;
    for (std::size_t node = begin; node < end; ++node) {
      if (node != keeps) renamed.push_back({node, unused_name(nodes, name, number)});
    }
    begin = end;
  }
  return renamed;
}

}  // namespace restree
