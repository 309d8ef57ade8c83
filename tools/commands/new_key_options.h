// The options of commands that put the master key under a further password.
#pragma once

#include "program/access.h"
#include "repo/new_key.h"
#include "tools/cli/command_syntax.h"

namespace restree {

struct NewKeyOptions {
  NewPassword password;
  NewKey key;
};

// `options` must outlive the parsing.
void add_new_key_options(CommandSyntax& app, NewKeyOptions& options);

}  // namespace restree
