#include "tools/restree/restree.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <utility>

#include "tools/cli/global_options.h"
#include "tools/cli/option_words.h"
#include "tools/cli/refused_option.h"
#include "tools/commands/commands.h"
#include "tools/output/output.h"

namespace restree {
namespace {

std::vector<std::string> names_of_commands() {
  std::vector<std::string> names;
  for (const Command& command : all_commands()) names.emplace_back(command.name);
  return names;
}

// The declared command line, and the values after parsing.
struct CommandLine {
  CLI::App app{"Back up to restic's repositories, and restore from them.", "restree"};
  GlobalOptions options;
  std::map<const CLI::App*, Run> runs;
  std::map<const CLI::App*, const RefusedCommand*> refused;
  std::vector<std::string> help_about;

  CommandLine() {
    app.require_subcommand(0, 1);
    app.footer("\nrestree COMMAND --help describes a command; restree(1) describes everything.");
    app.get_formatter()->column_width(34);
    add_global_options(app, options);
    for (const Command& command : all_commands()) {
      CLI::App* part = add_command(command.name, std::string(command.summary));
      part->footer("\nrestree --help lists the options that all commands take.");
      runs[part] = command.declare(*part);
    }
    for (const RefusedCommand& command : refused_commands()) {
      CLI::App* part = add_command(command.name, "");
      part->group("");
      part->fallthrough(false)->allow_extras()->prefix_command();
      part->set_help_flag();
      refused[part] = &command;
    }
    add_arguments(*add_command("help", "Describe a command"), "command", help_about,
                  "The command's name", names_of_commands());
  }

 private:
  CLI::App* add_command(std::string_view name, const std::string& summary) {
    CLI::App* part = app.add_subcommand(std::string(name), summary);
    part->fallthrough();
    return part;
  }
};

// This error and the next have restic's words, which users know.
Error no_such_command(const std::string& name) {
  return Error(ErrorKind::kInvalid, fmt::format("unknown command \"{}\" for \"restree\"", name))
      .hinting("restree --help lists the commands.");
}

Error unexpected_word(const CLI::App& app, const std::vector<std::string>& remaining) {
  const std::string word = remaining.empty() ? std::string() : remaining.front();
  const auto commands = app.get_subcommands();
  if (word.starts_with("--") && word.size() > 2) {
    const std::string name = word.substr(0, word.find('='));
    return Error(ErrorKind::kInvalid, "unknown flag: " + name)
        .hinting(commands.empty()
                     ? "restree --help lists the options."
                     : fmt::format("restree {} --help lists the options of this command.",
                                   commands.front()->get_name()));
  }
  if (word.starts_with('-') && word.size() > 1) {
    return {ErrorKind::kInvalid, "unknown shorthand flag: " + word};
  }
  if (commands.empty()) return no_such_command(word);
  return {ErrorKind::kInvalid, fmt::format("restree {} does not take the argument \"{}\"",
                                           commands.front()->get_name(), word)};
}

Status parse(CommandLine& line, const std::vector<std::string>& words) {
  try {
    line.app.parse(backwards(words));
  } catch (const RefusedOption& refused) {
    return refused.error();
  } catch (const CLI::CallForHelp&) {
    throw;
  } catch (const CLI::ExtrasError&) {
    return unexpected_word(line.app, line.app.remaining(true));
  } catch (const CLI::ParseError& failure) {
    return Error(ErrorKind::kInvalid, failure.what());
  }
  return {};
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

// restic has the command, Restree does not.
Error no_command_yet(const RefusedCommand& command) {
  return Error(ErrorKind::kUnsupported, fmt::format("restree has no command {}", command.name))
      .hinting(std::string(command.instead));
}

// The whole program's help, or that of the command that `restree help` names.
Result<ExitCode> print_help(const CommandLine& line, Io& io) {
  const CLI::App* about = &line.app;
  if (!line.help_about.empty()) {
    const std::string& name = line.help_about.front();
    const auto named =
        line.app.get_subcommands([&](const CLI::App* part) { return part->get_name() == name; });
    if (named.empty()) return no_such_command(name);
    const auto refused = line.refused.find(named.front());
    if (refused != line.refused.end()) return no_command_yet(*refused->second);
    about = named.front();
  }
  io.out(about->help(about == &line.app ? "" : "restree"));
  return ExitCode::kSuccess;
}

Result<ExitCode> run_command(CommandLine& line, Io& io, const std::stop_token& stop,
                             const StorageMaker& make_storage) {
  const auto chosen = line.app.get_subcommands();
  if (chosen.empty() || chosen.front()->get_name() == "help") return print_help(line, io);
  if (const auto refused = line.refused.find(chosen.front()); refused != line.refused.end()) {
    return no_command_yet(*refused->second);
  }
  RETURN_IF_ERROR(settle(line.options));
  Session session(line.options, io, stop, make_storage);
  Result<ExitCode> code = line.runs.at(chosen.front())(session);
  if (code && stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
  return code;
}

}  // namespace

ExitCode run_restree(const std::vector<std::string>& words, Io& io, const std::stop_token& stop,
                     const StorageMaker& make_storage) {
  CommandLine line;
  Result<ExitCode> code = ExitCode::kSuccess;
  try {
    if (Status parsed = parse(line, words); !parsed) code = std::move(parsed).error();
    if (code) code = run_command(line, io, stop, make_storage);
  } catch (const CLI::CallForHelp&) {
    io.out(line.app.help());
  }
  if (const Status written = io.flush(); !written && code) code = written.error();
  if (code) return *code;
  const ExitCode failure = exit_code_of(code.error().kind());
  io.status("");
  report(code.error(), failure,
         Output(io, line.options.json || wants_json(words), line.options.verbosity));
  return failure;
}

std::shared_ptr<const CLI::App> declared_command_line() {
  auto line = std::make_shared<CommandLine>();
  return {line, &line->app};
}

}  // namespace restree
