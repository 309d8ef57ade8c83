// The targets of a backup, as the upper levels of the tree that it will write.
#pragma once

#include <string>
#include <vector>

namespace restree {

struct TargetNode {
  std::string name;           // in the tree; empty for the root
  std::string source_path;    // for opening it, as the user gave it
  std::string absolute_path;  // for messages and exclude patterns
  // True: saved with everything in it. False: it only lies above a target, so its own metadata and
  // its `children` are saved, and nothing else in it.
  bool is_target = false;
  // False for an entry of a target `.` or `/`: it may be excluded like anything found in a target.
  bool is_explicit = true;
  std::vector<TargetNode> children;  // sorted by name; a target has none
};

}  // namespace restree
