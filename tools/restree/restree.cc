#include "tools/restree/restree.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <exception>
#include <map>
#include <utility>

#include "repo/base/last_resort.h"
#include "tools/cli/command_syntax.h"
#include "tools/cli/features.h"
#include "tools/cli/global_options.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/output/output.h"

namespace restree {
namespace {

std::vector<std::string> names_of_commands() {
  std::vector<std::string> names;
  for (const Command& command : all_commands()) {
    if (command.deprecated.empty()) names.emplace_back(command.name);
  }
  return names;
}

// The declared command line, and the values after parsing.
struct CommandLine {
  CommandSyntax program;
  GlobalOptions options;
  std::map<const CommandSyntax*, Run> runs;
  const CommandSyntax* help = nullptr;  // the command of that name
  std::vector<std::string> help_about;
  bool needs_no_output = false;  // of the command that runs

  explicit CommandLine(const std::string& name)
      : program(name, "Back up to restic's repositories, and restore from them.") {
    program.footer = name + " COMMAND --help describes a command; restree(1) describes everything.";
    program.add_help();
    add_global_options(program, options);
    for (const Command& command : all_commands()) add(command, program);
    for (const RefusedCommand& command : refused_commands()) {
      program.refuse_command(std::string(command.name), std::string(command.instead));
    }
    CommandSyntax& about = program.add_command("help", "Describe a command");
    about.add_help();
    add_arguments(about, "command", help_about, "The command's name", names_of_commands());
    help = &about;
  }

 private:
  // `above`: the program, or the command that this is a part of.
  void add(const Command& command, CommandSyntax& above) {
    CommandSyntax& part =
        above.add_command(std::string(command.name), std::string(command.summary));
    part.add_help();
    part.footer = program.name() + " --help lists the options that all commands take.";
    if (!command.deprecated.empty()) part.deprecate(std::string(command.deprecated));
    if (command.declare != nullptr) {
      if (Run run = command.declare(part)) runs[&part] = std::move(run);
    }
    if (command.parts == nullptr) return;
    for (const Command& one : command.parts()) add(one, part);
  }
};

// Without the name of the program: "key add".
std::string command_name(const CommandSyntax& command) {
  const std::string name = command.full_name();
  return name.substr(name.find(' ') + 1);
}

// Whether a command is run for what it does or finds out, which its exit code says, and not for the
// words that it prints.
bool needs_no_output(const CommandSyntax& command) {
  constexpr std::array<std::string_view, 20> kCommands{
      "backup",        "check",      "copy",       "forget",       "init",
      "key add",       "key passwd", "key remove", "mount",        "prune",
      "rebuild-index", "recover",    "repair all", "repair index", "repair snapshots",
      "restore",       "rewrite",    "tag",        "unlock",       "warm"};
  return std::ranges::find(kCommands, command_name(command)) != kCommands.end();
}

// Other programs print their version for this option; restic refuses it, and scripts that tell the two
// apart by that go on working.
Error with_advice(Error error, const CommandSyntax& program) {
  if (error.message() != "unknown flag: --version") return error;
  return std::move(error).hinting(program.name() + " version prints the version.");
}

void report(const Error& error, ExitCode code, const Output& output) {
  std::string message = "Fatal: " + error.message();
  if (!error.hint().empty()) message += "\n" + error.hint();
  output.exit_error(message, code);
}

// Looks for --json in the words themselves, in case parsing has failed.
bool wants_json(const std::vector<std::string>& words) {
  return std::find(words.begin(), words.end(), "--json") != words.end();
}

// The text for `restree help`: about the whole program, or the command that it names.
Result<std::string> help_for(const CommandLine& line) {
  const CommandSyntax* about = &line.program;
  for (const std::string& name : line.help_about) {
    const CommandSyntax* const named = about->find_command(name);
    if (named == nullptr) return no_such_command(*about, name);
    if (named->is_refused()) return named->refusal();
    about = named;
  }
  return help_text(*about);
}

// The help that the command line asks for; nullopt: it asks for none.
Result<std::optional<std::string>> wanted_help(const CommandLine& line,
                                               const CommandSyntax& command) {
  if (command.is_help_wanted() || (!command.commands().empty() && !command.arguments())) {
    return help_text(command);
  }
  if (&command != line.help) return std::nullopt;
  ASSIGN_OR_RETURN(std::string text, help_for(line));
  return text;
}

Result<ExitCode> run_command(CommandLine& line, const std::vector<std::string>& words, Io& io,
                             const std::stop_token& stop, const StorageMaker& make_storage) {
  ASSIGN_OR_RETURN(const std::vector<std::string> warnings, check_features_of_environment());
  for (const std::string& warning : warnings) io.err_line(warning);
  Result<ParsedCommand> parsed = parse_command(line.program, words);
  if (!parsed) return with_advice(std::move(parsed).error(), line.program);
  for (const std::string& notice : parsed->notices) io.err_line(notice);
  const CommandSyntax* const command = parsed->command;
  ASSIGN_OR_RETURN(const std::optional<std::string> help, wanted_help(line, *command));
  if (help) {
    io.out(*help);
    return ExitCode::kSuccess;
  }
  RETURN_IF_ERROR(settle(line.options));
  line.needs_no_output = needs_no_output(*command);
  if (line.needs_no_output) io.go_on_without_output();
  Session session(line.options, io, stop, make_storage);
  Result<ExitCode> code = line.runs.at(command)(session);
  session.keep_visit(command_name(*command));
  if (code && stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
  return code;
}

Result<ExitCode> run_line(CommandLine& line, const std::vector<std::string>& words, Io& io,
                          const std::stop_token& stop, const StorageMaker& make_storage) {
  try {
    return run_command(line, words, io, stop, make_storage);
  } catch (const std::exception& failure) {
    return error_of(failure);
  }
}

}  // namespace

ExitCode run_restree(const std::vector<std::string>& words, Io& io, const std::stop_token& stop,
                     const StorageMaker& make_storage, const std::string& program) {
  CommandLine line(program);
  Result<ExitCode> code = run_line(line, words, io, stop, make_storage);
  const Status written = io.flush();
  if (io.reader_has_gone()) return ExitCode::kBrokenPipe;
  if (!written && code && line.needs_no_output) {
    io.err_line("Warning: not all that was to be said could be written: " +
                written.error().message());
  } else if (!written && (code || code.error().kind() == ErrorKind::kCancelled)) {
    code = written.error();
  }
  if (code) return *code;
  const ExitCode failure = exit_code_of(code.error().kind());
  io.status("");
  report(code.error(), failure,
         Output(io, line.options.json || wants_json(words), line.options.verbosity));
  return failure;
}

std::shared_ptr<const CommandSyntax> declared_command_line() {
  auto line = std::make_shared<CommandLine>(std::string(kProgram));
  return {line, &line->program};
}

}  // namespace restree
