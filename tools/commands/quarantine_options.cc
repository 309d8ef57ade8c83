#include "tools/commands/quarantine_options.h"

#include "tools/cli/option_words.h"

namespace restree {

void add_quarantine_option(CommandSyntax& app, QuarantineOptions& options,
                           const std::string& otherwise) {
  add_text(app, "--quarantine", options.where,
           "Keep each file that is removed in this folder, or with \"repository\" in the folder "
           "quarantine of the repository (default: " +
               otherwise + ")",
           TextIs::kFolder);
}

Status use_quarantine(const QuarantineOptions& options, Session& session) {
  return options.is_given() ? session.keep_removed_in(options.where) : Status();
}

std::string quarantine_place(const QuarantineOptions& options) {
  return options.where == Session::kInRepository ? "the folder quarantine of the repository"
                                                 : options.where;
}

}  // namespace restree
