// The option --quarantine of the commands that repair: where what they remove is kept.
#pragma once

#include <string>

#include "repo/base/result.h"
#include "tools/cli/command_syntax.h"
#include "tools/session/session.h"

namespace restree {

struct QuarantineOptions {
  std::string where;  // a folder, or Session::kInRepository; empty: nothing is kept

  bool is_given() const { return !where.empty(); }
};

// `options` must outlive the parsing. `otherwise`: what happens without the option, for its help.
void add_quarantine_option(CommandSyntax& app, QuarantineOptions& options,
                           const std::string& otherwise);

// To be called before the repository is opened.
Status use_quarantine(const QuarantineOptions& options, Session& session);

// Where it is, for people: "the folder quarantine of the repository", or the folder's name.
std::string quarantine_place(const QuarantineOptions& options);

}  // namespace restree
