// What shells need to know of the command line to complete it: a value, made of its declaration.
//
// What is hidden from help, refused options and commands among it, is not in here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/cli_app.h"

namespace restree {

struct CompletedValue {
  enum class Kind : std::uint8_t { kNone, kText, kFile, kFolder, kChoice };
  Kind kind = Kind::kNone;
  std::vector<std::string> choices;  // of kChoice
};

struct CompletedOption {
  std::vector<std::string> names;  // with their dashes
  std::string description;
  CompletedValue value;
  bool is_repeatable = false;
};

struct CompletedCommand {
  std::string name;
  std::string summary;
  std::vector<CompletedOption> options;
  // Of each argument, or of the first alone if it is a choice.
  CompletedValue argument;
  std::string argument_name;
};

struct CompletedProgram {
  std::vector<CompletedOption> options;  // of all commands
  std::vector<CompletedCommand> commands;
};

CompletedProgram completed_program(const CLI::App& app);

// The scripts. Each is complete: no library of the shell's completions has to be installed.
std::string bash_completion(const CompletedProgram& program);
std::string fish_completion(const CompletedProgram& program);
std::string zsh_completion(const CompletedProgram& program);

// `text` between single quotes as bash and zsh read them.
std::string single_quoted(const std::string& text);

}  // namespace restree
