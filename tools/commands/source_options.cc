#include "tools/commands/source_options.h"

#include <string>

#include "repo/base/restic_words.h"
#include "tools/cli/option_words.h"

namespace restree {

void add_source_options(CommandSyntax& app, SourceOptions& options) {
  add_text(app, "--from-repo", options.from.location,
           "The source repository (default: $RESTIC_FROM_REPOSITORY)", TextIs::kFolder);
  add_text(app, "--from-repository-file", options.from.repository_file,
           "A file that says where it is (default: $RESTIC_FROM_REPOSITORY_FILE)", TextIs::kFile);
  add_text(app, "--from-password-file", options.from.password_file,
           "A file with its password (default: $RESTIC_FROM_PASSWORD_FILE)", TextIs::kFile);
  add_text(app, "--from-password-command", options.from.password_command,
           "A command that prints it (default: $RESTIC_FROM_PASSWORD_COMMAND)");
  add_text(app, "--from-key-hint", options.from.key_hint,
           "The id of its key to try first (default: $RESTIC_FROM_KEY_HINT)");
  add_flag(app, "--from-insecure-no-password", options.from.no_password, "Its password is empty");
  add_deprecated_text(app, "--repo2", options.from2.location, "use --repo or --from-repo instead");
  add_deprecated_text(app, "--repository-file2", options.from2.repository_file,
                      "use --repository-file or --from-repository-file instead");
  add_hidden_text(app, "--password-file2", options.from2.password_file);
  add_hidden_text(app, "--password-command2", options.from2.password_command);
  add_hidden_text(app, "--key-hint2", options.from2.key_hint);
}

bool is_given(const SourceOptions& options) {
  const auto names_one = [](const RepositoryAccess& access) {
    return access.location.has_value() || access.repository_file.has_value();
  };
  return names_one(options.from) || names_one(options.from2);
}

Result<const RepositoryAccess*> find_source(const SourceOptions& options) {
  const bool is_first = names_location(options.from);
  if (!names_location(options.from2)) return is_first ? &options.from : nullptr;
  if (!is_first) return &options.from2;
  return Error(ErrorKind::kInvalid, std::string(restic_words::kTwoSources.text));
}

}  // namespace restree
