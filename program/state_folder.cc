#include "program/state_folder.h"

#include <filesystem>
#include <system_error>

#include "repo/base/path.h"
#include "repo/system/environment.h"

namespace restree {

Result<std::string> state_folder() {
  std::string folder = environment_variable("XDG_STATE_HOME");
  if (folder.empty()) {
    const std::string home = home_folder();
    if (home.empty()) return Error(ErrorKind::kInvalid, "neither HOME nor XDG_STATE_HOME is set");
    folder = home + "/.local/state";
  }
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(folder, failed);
  if (failed) return Error(ErrorKind::kInvalid, folder + ": " + failed.message());
  return join_path(clean_path(absolute.string()), "restree");
}

}  // namespace restree
