// Programs run as the user nobody, who may read little.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/process.h"

namespace restree::testing {

// The command as nobody would run it. Its program is copied into `folder`, for it may lie where
// only root looks. Throws std::runtime_error if there is no such program.
inline Command as_nobody(Command command, const std::filesystem::path& folder) {
  const std::string found =
      run_ok({.argv = {"sh", "-c", "command -v \"$0\"", command.argv.front()}});
  const std::filesystem::path program = found.substr(0, found.size() - 1);
  const std::filesystem::path copy = folder / ("program-" + program.filename().string());
  std::filesystem::copy_file(program, copy, std::filesystem::copy_options::overwrite_existing);
  command.argv.front() = copy.string();
  command.argv.insert(command.argv.begin(), {"setpriv", "--reuid=nobody", "--clear-groups"});
  return command;
}

}  // namespace restree::testing
