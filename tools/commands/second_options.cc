#include "tools/commands/second_options.h"

#include "tools/cli/option_words.h"

namespace restree {

void add_second_options(CommandSyntax& app, SecondOptions& options) {
  add_text(app, "--second", options.access.location,
           "Where to read what is lost or damaged here (default: $RESTREE_SECOND_REPOSITORY)",
           TextIs::kFolder);
  add_text(app, "--second-password-file", options.access.password_file,
           "A file with its password (default: $RESTREE_SECOND_PASSWORD_FILE)", TextIs::kFile);
  add_text(app, "--second-password-command", options.access.password_command,
           "A command that prints it (default: $RESTREE_SECOND_PASSWORD_COMMAND)");
  add_text(app, "--second-key-hint", options.access.key_hint,
           "The id of its key to try first (default: $RESTREE_SECOND_KEY_HINT)");
  add_flag(app, "--second-insecure-no-password", options.access.no_password,
           "Its password is empty");
}

}  // namespace restree
