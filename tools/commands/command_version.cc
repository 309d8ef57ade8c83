// restree version
#include <fmt/core.h>

#include "repo/text/json_writer.h"
#include "tools/commands/build_commit.h"
#include "tools/commands/commands.h"

namespace restree {

namespace {

// The version of restic whose commands, output and exit codes Restree follows. Scripts compare the
// second word of what is printed, and `version` in JSON, with the version that they need.
constexpr std::string_view kLikeRestic = "0.19.1";

// As Go calls it, since restic's users know these words.
#if defined(__x86_64__)
constexpr std::string_view kProcessor = "amd64";
#elif defined(__aarch64__)
constexpr std::string_view kProcessor = "arm64";
#elif defined(__arm__)
constexpr std::string_view kProcessor = "arm";
#elif defined(__i386__)
constexpr std::string_view kProcessor = "386";
#elif defined(__s390x__)
constexpr std::string_view kProcessor = "s390x";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
constexpr std::string_view kProcessor = "ppc64le";
#elif defined(__powerpc64__)
constexpr std::string_view kProcessor = "ppc64";
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::string_view kProcessor = "riscv64";
#elif defined(__loongarch64)
constexpr std::string_view kProcessor = "loong64";
#elif defined(__mips64)
constexpr std::string_view kProcessor = "mips64";
#else
constexpr std::string_view kProcessor = "unknown";
#endif
#if defined(__clang__)
constexpr std::string_view kCompiler = "clang++ " __clang_version__;
#else
constexpr std::string_view kCompiler = "g++ " __VERSION__;
#endif

// "restree 0.2.0, commit 56fe22a1c3d4"
std::string own_version() {
  std::string version = "restree " RESTREE_VERSION;
  if (!build_commit().empty()) version += fmt::format(", commit {}", build_commit());
  return version;
}

Result<ExitCode> run_version(const std::string& program, Session& session) {
  session.output().say_even_if_quiet(fmt::format("{} {} ({}) compiled with {} on linux/{}", program,
                                                 kLikeRestic, own_version(), kCompiler,
                                                 kProcessor));
  JsonWriter json;
  json.begin_object().key("message_type").text("version").key("version").text(kLikeRestic);
  json.key("go_version").text(own_version());
  json.key("go_os").text("linux").key("go_arch").text(kProcessor).end_object();
  session.output().json(json.json());
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_version(CommandSyntax& app) {
  return [program = app.program_name()](Session& session) { return run_version(program, session); };
}

}  // namespace restree
