// What a backup leaves out.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

// Threads: any.
class SourceFilter {
 public:
  virtual ~SourceFilter() = default;

  // Whether the object at this absolute path is saved. `target_device`: the st_dev of the nearest
  // target above it. Not asked about targets that were named explicitly.
  virtual bool wants(const std::string& path, const struct stat& attributes,
                     dev_t target_device) const = 0;

  // Takes the names that are not wanted because of what the folder holds out of its listing.
  virtual Status thin_out(const UniqueFd& folder, const std::string& path,
                          std::vector<std::string>& names) const = 0;
};

}  // namespace restree
