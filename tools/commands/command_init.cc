// restree init
#include <fmt/core.h>

#include <charconv>
#include <memory>
#include <string>

#include "repo/base/restic_words.h"
#include "repo/repository_creation.h"
#include "repo/system/environment.h"
#include "repo/text/json_writer.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"

namespace restree {
namespace {

constexpr std::uint32_t kStableVersion = 2;
constexpr std::size_t kRepositoryIdDigits = 10;

struct InitOptions {
  std::string version = "stable";
  bool copy_chunker_parameters = false;
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

Result<std::uint32_t> parse_version(const std::string& word) {
  if (word.empty() || word == "latest" || word == "stable") return kStableVersion;
  std::uint32_t version = 0;
  const char* const end = word.data() + word.size();
  const auto [stop, failure] = std::from_chars(word.data(), end, version);
  if (failure != std::errc() || stop != end) {
    return Error(ErrorKind::kInvalid, "invalid repository version: " + word)
        .hinting("It may be 1, 2, latest or stable.");
  }
  return version;
}

bool names_source(const RepositoryAccess& access) {
  const auto is_set = [&](const char* name) {
    return !environment_variable(access.variables + name + access.variables_end).empty();
  };
  return access.location || access.repository_file || is_set("REPOSITORY") ||
         is_set("REPOSITORY_FILE");
}

// nullptr: no source repository is named.
Result<const RepositoryAccess*> find_source(const InitOptions& options) {
  const bool is_named = names_source(options.from);
  if (!names_source(options.from2)) return is_named ? &options.from : nullptr;
  if (!is_named) return &options.from2;
  return Error(ErrorKind::kInvalid, std::string(restic_words::kTwoSources.text));
}

Result<std::optional<std::uint64_t>> copied_polynomial(const InitOptions& options,
                                                       const Session& session) {
  ASSIGN_OR_RETURN(const RepositoryAccess* const named, find_source(options));
  if (options.copy_chunker_parameters) {
    ASSIGN_OR_RETURN(const auto source,
                     session.open_other(named == nullptr ? options.from : *named));
    return source->config().chunker_polynomial;
  }
  if (named == nullptr) return std::nullopt;
  return Error(ErrorKind::kInvalid, std::string(restic_words::kSourceWithoutUse.text))
      .hinting("Give --copy-chunker-params, or name no source repository.");
}

void tell(const Config& config, const std::string& location, bool copied, const Session& session) {
  const std::string id = config.id.hex();
  JsonWriter json;
  json.begin_object().key("message_type").text("initialized").key("id").text(id);
  json.key("repository").text(location).end_object();
  session.output().json(json.json());
  session.output().say(fmt::format("created restic repository {} at {}",
                                   id.substr(0, kRepositoryIdDigits), location));
  if (copied) session.output().say(" with chunker parameters copied from secondary repository");
  session.output().say(
      "\n"
      "Please note that knowledge of your password is required to access\n"
      "the repository. Losing your password means that your data is\n"
      "irrecoverably lost.");
}

Result<ExitCode> run_init(const InitOptions& options, Session& session) {
  NewRepository wanted;
  ASSIGN_OR_RETURN(wanted.version, parse_version(options.version));
  ASSIGN_OR_RETURN(wanted.chunker_polynomial, copied_polynomial(options, session));
  ASSIGN_OR_RETURN(const std::string location, session.location());
  ASSIGN_OR_RETURN(const std::shared_ptr<Storage> storage, session.storage());
  ASSIGN_OR_RETURN(const Secret password, session.password(PasswordIs::kNew));
  ASSIGN_OR_RETURN(const Config config,
                   create_repository(*storage, password, wanted, session.patience()));
  tell(config, location, wanted.chunker_polynomial.has_value(), session);
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_init(CommandSyntax& app) {
  const auto options = std::make_shared<InitOptions>();
  add_text(app, "--repository-version", options->version,
           "The format: 1, 2, latest or stable (default: stable, which is 2)");
  add_flag(app, "--copy-chunker-params", options->copy_chunker_parameters,
           "Cut files as the source repository does, so that copies stay the same");
  add_text(app, "--from-repo", options->from.location,
           "The source repository (default: $RESTIC_FROM_REPOSITORY)", TextIs::kFolder);
  add_text(app, "--from-repository-file", options->from.repository_file,
           "A file that says where it is (default: $RESTIC_FROM_REPOSITORY_FILE)", TextIs::kFile);
  add_text(app, "--from-password-file", options->from.password_file,
           "A file with its password (default: $RESTIC_FROM_PASSWORD_FILE)", TextIs::kFile);
  add_text(app, "--from-password-command", options->from.password_command,
           "A command that prints it (default: $RESTIC_FROM_PASSWORD_COMMAND)");
  add_text(app, "--from-key-hint", options->from.key_hint,
           "The id of its key to try first (default: $RESTIC_FROM_KEY_HINT)");
  add_flag(app, "--from-insecure-no-password", options->from.no_password, "Its password is empty");
  add_deprecated_text(app, "--repo2", options->from2.location, "use --repo or --from-repo instead");
  add_deprecated_text(app, "--repository-file2", options->from2.repository_file,
                      "use --repository-file or --from-repository-file instead");
  add_hidden_text(app, "--password-file2", options->from2.password_file);
  add_hidden_text(app, "--password-command2", options->from2.password_command);
  add_hidden_text(app, "--key-hint2", options->from2.key_hint);
  return [options](Session& session) { return run_init(*options, session); };
}

}  // namespace restree
