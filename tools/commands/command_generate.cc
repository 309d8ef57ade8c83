// restree generate
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "program/called_name.h"
#include "repo/base/path.h"
#include "tools/cli/completed_program.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/manual_pages.h"
#include "tools/output/output_file.h"

namespace restree {
namespace {

struct Shell {
  std::string_view name;
  std::string (*script)(const CompletedProgram& program);
};

constexpr std::array<Shell, 4> kShells{{{"bash", bash_completion},
                                        {"fish", fish_completion},
                                        {"zsh", zsh_completion},
                                        {"powershell", powershell_completion}}};

struct GenerateOptions {
  std::string man_folder;  // empty: no manual pages
  // The file for each script, in the order of kShells; "-": standard output, empty: not written.
  std::array<std::string, kShells.size()> files;
};

Status write_file(const std::string& file, std::string_view text) {
  ASSIGN_OR_RETURN(OutputFile output, OutputFile::create(file));
  RETURN_IF_ERROR(output.write(as_bytes(text)));
  return output.finish();
}

// Into a folder that is there already, as in restic.
Status write_manual_pages(const std::string& folder, Session& session) {
  session.output().say("writing man pages to directory " + folder);
  for (const ManualPage& page : manual_pages()) {
    RETURN_IF_ERROR(write_file(join_path(folder, std::string(page.name)), page.text));
  }
  return {};
}

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
  return write_file(file, script);
}

Result<ExitCode> run(const GenerateOptions& options, const CommandSyntax& all, Session& session) {
  const auto& files = options.files;
  const bool wants_scripts =
      !std::all_of(files.begin(), files.end(), [](const auto& file) { return file.empty(); });
  if (options.man_folder.empty() && !wants_scripts) {
    return Error(ErrorKind::kInvalid, "nothing to do, please specify at least one output file/dir")
        .hinting("restree generate --help lists the shells.");
  }
  if (std::count(files.begin(), files.end(), "-") > 1) {
    return Error(ErrorKind::kInvalid,
                 "the generate command can generate shell completions to stdout for single shell "
                 "only");
  }
  if (!options.man_folder.empty()) {
    RETURN_IF_ERROR(write_manual_pages(options.man_folder, session));
  }
  CompletedProgram program = completed_program(all);
  program.name = called_name("restree");
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].empty()) continue;
    RETURN_IF_ERROR(write_script(kShells[i], files[i], program, session));
  }
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_generate(CommandSyntax& app) {
  const auto options = std::make_shared<GenerateOptions>();
  add_text(app, "--man", options->man_folder, "Write the manual pages to this folder",
           TextIs::kFolder);
  for (std::size_t i = 0; i < kShells.size(); ++i) {
    add_text(app, fmt::format("--{}-completion", kShells[i].name), options->files[i],
             fmt::format("Write completions for {} to this file; - is the output", kShells[i].name),
             TextIs::kFile);
  }
  return [options, &app](Session& session) { return run(*options, *app.parent(), session); };
}

}  // namespace restree
