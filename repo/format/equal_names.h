// Names for nodes of one directory that have the same name, of which a file system can show one.
//
// Threads: any.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "repo/format/tree.h"

namespace restree {

struct NewName {
  std::size_t node;  // its place in the list
  std::string name;  // NAME-1, NAME-2 and so on: a name that no node of the list has
};

// The new names of all but one of each group of equal names among `nodes`, which are sorted by
// name. The first directory of a group keeps its name, so that paths through it stay as they are;
// in a group without a directory, the first node does. Where a name is as long as Linux allows, its
// end makes room for the number, so that two new names may be equal.
std::vector<NewName> names_for_equals(std::span<const Node* const> nodes);

}  // namespace restree
