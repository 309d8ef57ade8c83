// The JSON of a tree, node by node: to write it again without some nodes, or with others in their
// place. All else stays as it was written, so that fields which only other programs know survive.
//
// Ownership: the values hold views into the JSON, which must outlive them.
// Threads:   any; pure functions of values.
// Errors:    kCorrupt: not a tree. A field of a node that cannot be read is as absent, and is no
//            error.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/id.h"

namespace restree {

struct NodeText {
  std::string_view json;               // all of it
  std::string name = {};               // any bytes; empty if it cannot be read
  std::string type = {};               // "file", "dir" or any other; empty if it cannot be read
  std::uint64_t size = 0;              // as recorded
  std::optional<BlobId> subtree = {};  // nullopt if it is missing or null
  // The text of these fields in `json`, as views into it; their data() is nullptr if a field is missing.
  std::string_view size_json = {};
  std::string_view links_json = {};
  std::string_view content_json = {};
  std::string_view subtree_json = {};

  bool is_file() const { return type == "file"; }
  bool is_folder() const { return type == "dir"; }
};

struct TreeText {
  std::string_view begin;  // all before the first node
  std::vector<NodeText> nodes;
  std::string_view end;  // all behind the last one
};

Result<TreeText> parse_tree_text(ByteView json);
// The tree with these nodes, each as JSON.
std::string write_tree_text(const TreeText& tree, std::span<const std::string_view> nodes);
// As restic writes a tree without nodes.
inline constexpr std::string_view kEmptyTree = "{\"nodes\":[]}\n";

struct NodeContent {
  std::vector<std::optional<BlobId>> ids;  // nullopt for one that cannot be read
  bool is_list = true;                     // false: there is no list of ids
};
NodeContent content_of(const NodeText& node);

// The node's JSON with another subtree, or with other content and size. A size of 0 is left out, and
// fields that are missing are put where restic has them.
std::string with_subtree(const NodeText& node, const BlobId& subtree);
std::string with_content(const NodeText& node, const std::vector<BlobId>& content,
                         std::uint64_t size);

}  // namespace restree
