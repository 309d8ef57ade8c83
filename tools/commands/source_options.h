// The options --from-repo and the like, which name a second repository: that which is copied from, or
// which has what is missing here.
#pragma once

#include "program/access.h"
#include "repo/base/result.h"
#include "tools/cli/command_syntax.h"

namespace restree {

struct SourceOptions {
  RepositoryAccess from{.location = {},
                        .repository_file = {},
                        .password_file = {},
                        .password_command = {},
                        .key_hint = {},
                        .variables = "RESTIC_FROM_",
                        .what = "source repository"};
  // The same by the options that restic has deprecated, and their variables.
  RepositoryAccess from2{.location = {},
                         .repository_file = {},
                         .password_file = {},
                         .password_command = {},
                         .key_hint = {},
                         .variables_end = "2",
                         .what = "source repository"};
};

// Whether an option names the repository. Variables alone do not count.
bool is_given(const SourceOptions& options);

// `options` must outlive the parsing.
void add_source_options(CommandSyntax& app, SourceOptions& options);

// The one that an option or a variable names; nullptr: none does. kInvalid: both do.
Result<const RepositoryAccess*> find_source(const SourceOptions& options);

}  // namespace restree
