// restree version
#include <fmt/core.h>

#include "repo/text/json_writer.h"
#include "tools/commands/commands.h"

namespace restree {

namespace {

// The version of restic whose commands, output and exit codes Restree follows, for scripts that
// check it.
constexpr std::string_view kLikeRestic = "0.19.1";
#if defined(__x86_64__)
constexpr std::string_view kProcessor = "amd64";
#elif defined(__aarch64__)
constexpr std::string_view kProcessor = "arm64";
#else
constexpr std::string_view kProcessor = "unknown";
#endif
#if defined(__clang__)
constexpr std::string_view kCompiler = "clang++ " __clang_version__;
#else
constexpr std::string_view kCompiler = "g++ " __VERSION__;
#endif

Result<ExitCode> run_version(Session& session) {
  session.output().say_even_if_quiet(
      fmt::format("restree {} (like restic {}) compiled with {} on linux/{}", RESTREE_VERSION,
                  kLikeRestic, kCompiler, kProcessor));
  JsonWriter json;
  json.begin_object().key("message_type").text("version").key("version").text(kLikeRestic);
  json.key("go_version").text("restree " RESTREE_VERSION);
  json.key("go_os").text("linux").key("go_arch").text(kProcessor).end_object();
  session.output().json(json.json());
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_version(CommandSyntax&) { return run_version; }

}  // namespace restree
