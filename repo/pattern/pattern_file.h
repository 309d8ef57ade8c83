// Reads a file of patterns (--exclude-file, --include-file), one a line.
//
// White space around a pattern, empty lines and lines that begin with # are ignored. $NAME and
// ${NAME} stand for variables of the environment, $$ for a dollar sign.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "repo/system/environment.h"

namespace restree {

using Environment = std::function<std::string(const std::string& name)>;

Result<std::vector<std::string>> read_pattern_file(
    const std::string& path, const Environment& environment = environment_variable);

// The patterns of such lines.
std::vector<std::string> patterns_of(const std::vector<std::string>& lines,
                                     const Environment& environment);

// As Go's os.Expand.
std::string expand_variables(std::string_view text, const Environment& environment);

}  // namespace restree
