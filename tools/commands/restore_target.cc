#include "tools/commands/restore_target.h"

#include <filesystem>

namespace restree {

Result<std::string> absolute_target(const std::string& words) {
  std::error_code failed;
  const std::filesystem::path path = std::filesystem::absolute(words, failed);
  if (failed) return errno_error(failed.value(), "find the current folder");
  std::string target = path.lexically_normal().string();
  if (target.size() > 1 && target.ends_with('/')) target.pop_back();
  return target;
}

}  // namespace restree
