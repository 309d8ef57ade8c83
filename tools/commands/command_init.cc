// restree init
#include <fmt/core.h>

#include <charconv>
#include <memory>
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
  std::string version = "stable";
  bool copy_chunker_parameters = false;
  SourceOptions source;
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

Result<std::optional<std::uint64_t>> copied_polynomial(const InitOptions& options,
                                                       const Session& session) {
  ASSIGN_OR_RETURN(const RepositoryAccess* const named, find_source(options.source));
  if (options.copy_chunker_parameters) {
    ASSIGN_OR_RETURN(
        const OtherRepository source,
        session.open_other(named == nullptr ? options.source.from : *named, Locking::kNone));
    return source.repository->config().chunker_polynomial;
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
  add_source_options(app, options->source);
  return [options](Session& session) { return run_init(*options, session); };
}

}  // namespace restree
