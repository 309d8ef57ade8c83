// A description of the command line from which completions for shells are written. It is made from
// the declared options.
//
// Options and commands that help does not show, like refused ones, are not included.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/cli/command_syntax.h"

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
  // The kind of every argument; if it is a choice, only of the first one.
  CompletedValue argument;
  std::string argument_name;
};

struct CompletedProgram {
  std::string name;                      // by which it is called
  std::vector<CompletedOption> options;  // of all commands
  std::vector<CompletedCommand> commands;
};

CompletedProgram completed_program(const CommandSyntax& program);

// The completion scripts, for the program's name. Each stands alone: no package of completion
// functions has to be installed.
std::string bash_completion(const CompletedProgram& program);
std::string fish_completion(const CompletedProgram& program);
std::string powershell_completion(const CompletedProgram& program);
std::string zsh_completion(const CompletedProgram& program);

// `script` with the program's name in place of each @NAME@, and in place of each @ID@ that name as a
// shell's functions can have it.
std::string with_name(std::string script, const CompletedProgram& program);

// `text` in single quotes, for bash and zsh.
std::string single_quoted(const std::string& text);

}  // namespace restree
