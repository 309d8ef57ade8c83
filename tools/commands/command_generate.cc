// restree generate
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>

#include "tools/cli/completed_program.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/output/output_file.h"

namespace restree {
namespace {

struct Shell {
  std::string_view name;
  std::string (*script)(const CompletedProgram& program);
};

constexpr std::array<Shell, 3> kShells{
    {{"bash", bash_completion}, {"fish", fish_completion}, {"zsh", zsh_completion}}};

// The file for each script, in the order of kShells; "-": standard output, empty: not written.
using Files = std::array<std::string, kShells.size()>;

Status write_script(const Shell& shell, const std::string& file, const CompletedProgram& program,
                    Session& session) {
  const std::string script = shell.script(program);
  if (file == "-") {
    session.io().out(script);
    return {};
  }
  if (session.io().is_terminal()) {
    session.output().say(fmt::format("writing {} completion file to {}", shell.name, file));
  }
  ASSIGN_OR_RETURN(OutputFile output, OutputFile::create(file));
  return output.write(as_bytes(script));
}

Result<ExitCode> run(const Files& files, const CommandSyntax& all, Session& session) {
  if (std::all_of(files.begin(), files.end(), [](const auto& file) { return file.empty(); })) {
    return Error(ErrorKind::kInvalid, "nothing to do, please specify at least one output file")
        .hinting("restree generate --help lists the shells.");
  }
  if (std::count(files.begin(), files.end(), "-") > 1) {
    return Error(ErrorKind::kInvalid, "the output can take the completions of one shell only");
  }
  const CompletedProgram program = completed_program(all);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].empty()) continue;
    RETURN_IF_ERROR(write_script(kShells[i], files[i], program, session));
  }
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_generate(CommandSyntax& app) {
  const auto files = std::make_shared<Files>();
  for (std::size_t i = 0; i < kShells.size(); ++i) {
    add_text(app, fmt::format("--{}-completion", kShells[i].name), (*files)[i],
             fmt::format("Write completions for {} to this file; - is the output", kShells[i].name),
             TextIs::kFile);
  }
  refuse_option(app, "--powershell-completion", Takes::kValue,
                "There are completions for bash, fish and zsh.");
  refuse_option(app, "--man", Takes::kValue,
                "The manual pages restree(1) and restreefs(8) are installed with the program.");
  return [files, &app](Session& session) { return run(*files, *app.parent(), session); };
}

}  // namespace restree
