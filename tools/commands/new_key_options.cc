#include "tools/commands/new_key_options.h"

#include "tools/cli/option_words.h"

namespace restree {

void add_new_key_options(CommandSyntax& app, NewKeyOptions& options) {
  add_text(app, "--new-password-file", options.password.file,
           "A file with the new password (default: it is asked for)", TextIs::kFile);
  add_flag(app, "--new-insecure-no-password", options.password.none, "The new password is empty");
  add_text(app, "--user", options.key.username, "Who gets the key (default: this user)");
  add_text(app, "--host", options.key.hostname, "On which host (default: this one)");
}

}  // namespace restree
