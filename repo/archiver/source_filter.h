// What a backup leaves out.
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

  // Whether the object at this absolute path is saved, as far as its path tells. What lies below
  // one that is not is never asked about, nor are targets that were named explicitly.
  virtual bool wants_path(const std::string& path) const = 0;

  // The same of one whose path is wanted, as far as its attributes tell.
  virtual bool wants(const std::string& path, const struct stat& attributes) const = 0;

  // Takes the names that are not wanted because of what the folder holds out of its listing.
  virtual void thin_out(const UniqueFd& folder, const std::string& path,
                        std::vector<std::string>& names) const = 0;
};

}  // namespace restree
