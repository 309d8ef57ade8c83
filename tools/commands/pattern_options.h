// The options --exclude and --include, each in its four forms.
#pragma once

#include <string>

#include "repo/pattern/pattern_filter.h"
#include "tools/cli/command_syntax.h"

namespace restree {

// `word`: "exclude" or "include". `options` must outlive the parsing.
void add_pattern_options(CommandSyntax& app, const std::string& word, PatternOptions& options);

}  // namespace restree
