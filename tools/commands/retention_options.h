// The options --keep-*, with which commands are given a retention policy.
#pragma once

#include <string>
#include <vector>

#include "repo/retention/retention_policy.h"
#include "tools/cli/command_syntax.h"

namespace restree {

struct RetentionOptions {
  RetentionPolicy rules;               // without the lists of tags
  std::vector<std::string> tag_lists;  // as they are given

  RetentionPolicy policy() const;
};

// `options` must outlive the parsing.
void add_retention_options(CommandSyntax& app, RetentionOptions& options);

}  // namespace restree
