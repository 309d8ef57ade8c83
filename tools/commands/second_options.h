// The options --second and the like of commands that read: they name a second repository with the same
// content, for what the first one has lost.
#pragma once

#include "program/access.h"
#include "program/second_opening.h"
#include "tools/cli/command_syntax.h"

namespace restree {

struct SecondOptions {
  RepositoryAccess access = second_access();
};

// `options` must outlive the parsing.
void add_second_options(CommandSyntax& app, SecondOptions& options);

}  // namespace restree
