// Lays out the targets of a backup as the upper levels of the snapshot's tree.
//
// Each component of a target, as the user gave it, becomes a level of the tree, except leading
// `..`. A target that consists only of `.`, `..` and `/` stands for the entries of that folder.
// Targets of the same name from different folders get a number behind their names, and a target
// that lies within another is merged into it.
//
// Pure functions except for calls of the lister; any thread.
// Errors: those of the lister.
// Format: restic's trees, level for level.
#pragma once

#include <string>
#include <vector>

#include "repo/archiver/source_filter.h"
#include "repo/archiver/target_tree.h"
#include "repo/base/result.h"

namespace restree {

struct ExistingTargets {
  std::vector<std::string> targets;  // the existing ones, in the given order
  std::vector<Error> missing;        // one for each target that is left out
};
ExistingTargets existing_targets(const std::vector<std::string>& targets);

// The `paths` of the snapshot: each target as an absolute and clean path.
std::vector<std::string> snapshot_paths(const std::vector<std::string>& targets,
                                        const std::string& working_folder);

// Lists folders that are replaced as targets by their entries.
class TargetLister {
 public:
  virtual ~TargetLister() = default;
  // The sorted names in the folder that are to be saved. `path` may be relative.
  virtual Result<std::vector<std::string>> names_in(const std::string& path) const = 0;
};

// Lists folders of the file system, without the names that `filter` thins out.
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

// Returns the root of the tree. A target in it never has children: a target within which others lie
// becomes a level whose entries are all targets.
Result<TargetNode> plan_targets(const std::vector<std::string>& targets,
                                const std::string& working_folder, const TargetLister& lister);

}  // namespace restree
