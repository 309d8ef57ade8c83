// Where the JSON of a large tree can be cut, so that each part is a tree of its own.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace restree {

inline constexpr std::string_view kTreeOfNodesBegin = R"({"nodes":[)";
inline constexpr std::string_view kTreeOfNodesEnd = "]}";

// What is between these two, in a tree that has nothing else; nullopt for any other.
std::optional<std::string_view> only_nodes_of(std::string_view json);

// Where the first node begins at or after `from`, as far as the text around it tells; the end if
// none does. Only nodes have a name and then a type, and the quotes that this looks for cannot stand
// in a string, where they are escaped. A text that deceives it all the same makes parts that are not
// JSON, or not one list.
std::size_t next_node(std::string_view nodes, std::size_t from);

// Whether a part is elements of one list. A part in which the list ends and another field begins
// would pass for a tree as well.
bool is_one_list(std::string_view elements);

}  // namespace restree
