// Translates the options of `restree mount` to a call of restreefs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "repo/base/result.h"
#include "tools/cli/global_options.h"
#include "tools/commands/index_option.h"
#include "tools/commands/second_options.h"
#include "tools/commands/snapshot_options.h"

namespace restree {

struct MountCommandOptions {
  std::vector<std::string> mount_points;
  SecondOptions second;
  IndexOption index;
  SnapshotOptions selection;
  bool allow_other = false;
  bool no_default_permissions = false;
  bool owner_root = false;
  std::vector<std::string> path_templates;
  std::optional<std::string> time_template;  // a layout of Go's
};

// The words of the call, "restreefs" first. They contain no secrets, only where these come from.
// kInvalid: not exactly one mount point, or a template that cannot be. kUnsupported: a global option that restreefs does not
// have.
Result<std::vector<std::string>> restreefs_call(const MountCommandOptions& options,
                                                const GlobalOptions& global,
                                                const std::string& location);

}  // namespace restree
