// What the user asked to back up, laid out as the upper levels of the tree that a snapshot gets.
//
// The components of a target, as it was given, are levels of the tree; `..` in front are none. What
// consists of `.`, `..` and `/` alone stands for the entries of that folder. Targets of the same
// name from different folders get a number behind their names, and one that lies within another is
// merged into it.
//
// Pure functions but for what they ask of the lister; any thread.
// Errors: the lister's.
// Format: restic's trees, level for level.
#pragma once

#include <string>
#include <vector>

#include "repo/archiver/source_filter.h"
#include "repo/archiver/target_tree.h"
#include "repo/base/result.h"

namespace restree {

struct ExistingTargets {
  std::vector<std::string> targets;  // in their order
  std::vector<Error> missing;        // one for each that is left out
};
ExistingTargets existing_targets(const std::vector<std::string>& targets);

// The `paths` of the snapshot: absolute and clean, as many as there are targets.
std::vector<std::string> snapshot_paths(const std::vector<std::string>& targets,
                                        const std::string& working_folder);

// Where targets are replaced by what they hold.
class TargetLister {
 public:
  virtual ~TargetLister() = default;
  // The sorted names in the folder that are to be saved. `path` may be relative.
  virtual Result<std::vector<std::string>> names_in(const std::string& path) const = 0;
};

// The file system's own names, without those that `filter` thins out.
// Ownership: the filter must outlive it.
class FolderLister final : public TargetLister {
 public:
  FolderLister(const SourceFilter& filter, std::string working_folder)
      : filter_(filter), working_folder_(std::move(working_folder)) {}
  Result<std::vector<std::string>> names_in(const std::string& path) const override;

 private:
  const SourceFilter& filter_;
  const std::string working_folder_;
};

// The root of the tree. No target in it has children: one that others lie within is given as a
// level, with all that it holds as targets.
Result<TargetNode> plan_targets(const std::vector<std::string>& targets,
                                const std::string& working_folder, const TargetLister& lister);

}  // namespace restree
