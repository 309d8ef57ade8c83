// What a backup was asked to save, as the upper levels of the tree that it will write.
#pragma once

#include <string>
#include <vector>

namespace restree {

struct TargetNode {
  std::string name;           // in the tree; empty for the root
  std::string source_path;    // to open it by, as the user gave it
  std::string absolute_path;  // for messages and exclude patterns
  // Saved with all that it holds. Otherwise it is only on the way to a target: its own metadata and
  // its children are saved, and nothing else in it.
  bool is_target = false;
  // False for what stands in for `.` or `/`: then it may be excluded like anything found inside.
  bool is_explicit = true;
  std::vector<TargetNode> children;  // sorted by name; of a target: targets that lie within it
};

}  // namespace restree
