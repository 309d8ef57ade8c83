// Targets that files name: --files-from, --files-from-verbatim, --files-from-raw.
//
//   --files-from            a pattern a line, trimmed; no empty ones, and none that begin with #
//   --files-from-verbatim   a path a line, as it stands there
//   --files-from-raw        paths, each with a zero byte at its end
//
// A zero byte in a list of the first two kinds makes the whole list invalid.
// "-" is standard input. Threads: any.
// Errors: the file's; kInvalid, naming the option, for what is no list of that kind.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"

namespace restree {

struct FilesFromOptions {
  std::vector<std::string> files_from = {};
  std::vector<std::string> verbatim = {};
  std::vector<std::string> raw = {};

  bool empty() const { return files_from.empty() && verbatim.empty() && raw.empty(); }
};

// In the order of the options above, and of each option's files. `warn` is told which patterns
// match nothing.
Result<std::vector<std::string>> targets_from_files(const FilesFromOptions& options,
                                                    const std::function<void(const Error&)>& warn);

// The paths that a zero byte ends each.
Result<std::vector<std::string>> parse_raw_list(std::string_view bytes);

// The paths that match, sorted, as Go's filepath.Glob finds them: stars cross no slash, names that
// begin with a dot are like any other, what cannot be read matches nothing.
Result<std::vector<std::string>> expand_glob(const std::string& pattern);

}  // namespace restree
