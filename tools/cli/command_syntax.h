// The syntax of a program's command line: its options, its commands, and what each of them takes.
// Commands declare themselves into it; parsing, help, completions and the test of the manual page
// read it.
//
// A command line is read as cobra reads it, which restic uses: the first word that is neither an
// option nor the value of one names the command, and options may stand before and after it. Before
// it only the options of all commands are known, so that any other one there takes the next word
// for its value, as in `--tag daily backup`.
//
// Ownership: a CommandSyntax owns its commands. Threads: one.
// Errors:    kInvalid, in cobra's and pflag's words. kUnsupported: a command or option of restic
//            that Restree does not have.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "program/command_line/flags.h"
#include "repo/base/result.h"

namespace restree {

class CommandSyntax : public Flags {
 public:
  struct Arguments {
    std::string name;
    std::string description;
    std::string value_word;            // as in Flag
    std::vector<std::string>* values;  // where the parsed ones go
  };

  CommandSyntax(std::string name, std::string summary);
  CommandSyntax(const CommandSyntax&) = delete;
  CommandSyntax& operator=(const CommandSyntax&) = delete;

  const std::string& name() const { return name_; }
  // "restree key list"
  std::string full_name() const;
  const std::string& summary() const { return summary_; }
  const CommandSyntax* parent() const { return parent_; }
  // The name under which the whole program was called: "restree", or "restic".
  const std::string& program_name() const {
    return parent_ == nullptr ? name_ : parent_->program_name();
  }

  // The options of this one are also those of the new command.
  CommandSyntax& add_command(std::string name, std::string summary);
  // A command that restic has and Restree does not: using it is an error that names it. It is
  // hidden. `instead`: a sentence that says why, or what to do instead.
  void refuse_command(std::string name, std::string instead);
  // Using the command prints that it is deprecated, and `instead`. It is hidden.
  void deprecate(std::string instead) { deprecation_ = std::move(instead); }
  // Whether help and completions leave it out.
  bool is_hidden() const { return refusal_.has_value() || deprecation_.has_value(); }
  const std::optional<std::string>& deprecation() const { return deprecation_; }
  // In the order in which they were added.
  const std::vector<std::unique_ptr<CommandSyntax>>& commands() const { return commands_; }
  // nullptr: there is none.
  const CommandSyntax* find_command(std::string_view name) const;
  bool is_refused() const { return refusal_.has_value(); }
  // The error of using it, if it is refused.
  Error refusal() const;

  // Without this, the command takes no arguments.
  void take_arguments(Arguments arguments) { arguments_ = std::move(arguments); }
  const std::optional<Arguments>& arguments() const { return arguments_; }

  // Adds -h and --help.
  void add_help();
  bool is_help_wanted() const { return wants_help_; }

  std::string footer;  // the last line of the help

 private:
  std::string name_;
  std::string summary_;
  const CommandSyntax* parent_ = nullptr;
  std::vector<std::unique_ptr<CommandSyntax>> commands_;
  std::optional<Arguments> arguments_;
  std::optional<std::string> refusal_;
  std::optional<std::string> deprecation_;
  bool wants_help_ = false;
};

struct ParsedCommand {
  const CommandSyntax* command;
  std::vector<std::string> notices;  // as in ParsedWords
};

// Finds the command that `words` name, and fills the values of its options and arguments. If help
// is wanted, the arguments are not looked at.
Result<ParsedCommand> parse_command(const CommandSyntax& program,
                                    const std::vector<std::string>& words);

// The error of a word that names no command of `program`, with the commands of similar names.
Error no_such_command(const CommandSyntax& program, const std::string& word);

// What `program COMMAND --help` prints.
std::string help_text(const CommandSyntax& command);

}  // namespace restree
