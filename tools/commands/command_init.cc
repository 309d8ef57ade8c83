// restree init
#include <fmt/core.h>

#include <charconv>
#include <memory>
#include <optional>
#include <string>

#include "repo/base/restic_words.h"
#include "repo/repository_creation.h"
#include "repo/text/json_writer.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/source_options.h"

namespace restree {
namespace {

constexpr std::uint32_t kStableVersion = 2;
constexpr std::size_t kRepositoryIdDigits = 10;

struct InitOptions {
  std::optional<std::string> version;
  bool copy_chunker_parameters = false;
  bool same_key = false;
  SourceOptions source;
};

// Packs are copied byte for byte only between repositories of one version.
std::uint32_t usual_version(const NewRepository& wanted) {
  return wanted.same_key_as == nullptr ? kStableVersion : wanted.same_key_as->config().version;
}

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

// The repository of which the new one takes something; without one: it takes nothing.
Result<OtherRepository> open_source(const InitOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(const RepositoryAccess* const named, find_source(options.source));
  if (options.copy_chunker_parameters || options.same_key) {
    return session.open_other(named == nullptr ? options.source.from : *named, Locking::kNone);
  }
  if (named == nullptr) return OtherRepository();
  return Error(ErrorKind::kInvalid, std::string(restic_words::kSourceWithoutUse.text))
      .hinting(
          "Give --copy-chunker-params, or --same-key for an off-site copy, or name no source "
          "repository.");
}

void tell(const Config& config, const std::string& location, const NewRepository& made,
          const Session& session) {
  const std::string id = config.id.hex();
  JsonWriter json;
  json.begin_object().key("message_type").text("initialized").key("id").text(id);
  json.key("repository").text(location).end_object();
  session.output().json(json.json());
  session.output().say(fmt::format("created restic repository {} at {}",
                                   id.substr(0, kRepositoryIdDigits), location));
  if (made.chunker_polynomial) {
    session.output().say(" with chunker parameters copied from secondary repository");
  }
  if (made.same_key_as != nullptr) {
    session.output().say(
        " and with its master key: whoever knows the password of either and can read the files of\n"
        " the other can read what is in both");
  }
  session.output().say(
      "\n"
      "Please note that knowledge of your password is required to access\n"
      "the repository. Losing your password means that your data is\n"
      "irrecoverably lost.");
}

Result<ExitCode> run_init(const InitOptions& options, Session& session) {
  NewRepository wanted;
  // Before anything is opened or asked for.
  if (options.version) {
    ASSIGN_OR_RETURN(wanted.version, parse_version(*options.version));
  }
  ASSIGN_OR_RETURN(const OtherRepository source, open_source(options, session));
  if (source.repository) wanted.chunker_polynomial = source.repository->config().chunker_polynomial;
  if (options.same_key) wanted.same_key_as = source.repository.get();
  if (!options.version) wanted.version = usual_version(wanted);
  ASSIGN_OR_RETURN(const std::string location, session.location());
  ASSIGN_OR_RETURN(const std::shared_ptr<Storage> storage, session.storage());
  ASSIGN_OR_RETURN(const Secret password, session.password(PasswordIs::kNew));
  ASSIGN_OR_RETURN(const Config config,
                   create_repository(*storage, password, wanted, session.patience()));
  session.see_new(config.id);
  tell(config, location, wanted, session);
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_init(CommandSyntax& app) {
  const auto options = std::make_shared<InitOptions>();
  add_text(
      app, "--repository-version", options->version,
      "The format: 1, 2, latest or stable (default: stable, which is 2; with --same-key that of "
      "the source)");
  add_flag(app, "--copy-chunker-params", options->copy_chunker_parameters,
           "Cut files as the source repository does, so that copies stay the same");
  add_flag(app, "--same-key", options->same_key,
           "Take the source repository's master key and chunker parameters, so that copy brings "
           "whole packs byte for byte");
  add_source_options(app, options->source);
  return [options](Session& session) { return run_init(*options, session); };
}

}  // namespace restree
