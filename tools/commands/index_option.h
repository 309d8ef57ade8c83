// The option --index of commands that read: where they look for the places of blobs.
#pragma once

#include <string>

#include "tools/cli/command_syntax.h"
#include "tools/session/session.h"

namespace restree {

struct IndexOption {
  std::string source = "files";
};

// `option` must outlive the parsing.
void add_index_option(CommandSyntax& app, IndexOption& option);

// Before the repository is opened.
void use_index(const IndexOption& option, Session& session);

}  // namespace restree
