// Decides what a backup leaves out.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "repo/base/unique_fd.h"

namespace restree {

// Threads: any.
class SourceFilter {
 public:
  virtual ~SourceFilter() = default;

  // Whether the object at this absolute path is saved, judged by its path alone. Not called for
  // objects below an excluded one, nor for targets that were named explicitly.
  virtual bool wants_path(const std::string& path) const = 0;

  // The same judged by its attributes; called only for an object whose path is wanted.
  virtual bool wants(const std::string& path, const struct stat& attributes) const = 0;

  // Removes from the folder's listing `names` the entries that are excluded because of another file
  // in the folder.
  virtual void thin_out(const UniqueFd& folder, const std::string& path,
                        std::vector<std::string>& names) const = 0;
};

}  // namespace restree
