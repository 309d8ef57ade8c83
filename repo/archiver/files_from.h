// Reads targets from files: --files-from, --files-from-verbatim, --files-from-raw.
//
//   --files-from            one pattern a line, trimmed; empty lines and those that begin with #
//   are
//                           left out
//   --files-from-verbatim   one path a line, unchanged
//   --files-from-raw        paths, each with a zero byte at its end
//
// A zero byte in a list of the first two kinds makes the whole list invalid.
// "-" is standard input. Threads: any.
// Errors: those of reading the file; kInvalid, naming the option: the content is malformed.
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

// In the order of the options above, and of each option's files. `warn` is called for each pattern
// that matches nothing.
Result<std::vector<std::string>> targets_from_files(const FilesFromOptions& options,
                                                    const std::function<void(const Error&)>& warn);

// The paths of a list in which each ends with a zero byte.
Result<std::vector<std::string>> parse_raw_list(std::string_view bytes);

// The paths that match, sorted, as Go's filepath.Glob finds them: a star does not match a slash,
// names that begin with a dot are like any other, and folders that cannot be read match nothing.
Result<std::vector<std::string>> expand_glob(const std::string& pattern);

}  // namespace restree
