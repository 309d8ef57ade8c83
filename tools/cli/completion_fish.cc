// Completions for fish. The script has functions that tell where on the command line the cursor is.
#include <fmt/core.h>
#include <fmt/format.h>

#include <utility>

#include "tools/cli/completed_program.h"

namespace restree {
namespace {

using Kind = CompletedValue::Kind;

// {0}: the options of all commands whose value is the next word.
constexpr std::string_view kFishHead =
    R"(# fish completion for @NAME@, made by: @NAME@ generate --fish-completion FILE

function __@ID@_words --description 'The command and its arguments before the cursor'
    set -l is_value no
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if test $is_value = yes
            set is_value no
            continue
        end
        switch $word
            case {0}
                set is_value yes
            case '-*'
            case '*'
                printf '%s\n' $word
        end
    end
end

function __@ID@_has_no_command
    set -l words (__@ID@_words)
    test (count $words) -eq 0
end

function __@ID@_is --argument-names command
    set -l words (__@ID@_words)
    test "$words[1]" = $command
end

function __@ID@_has_no_argument --argument-names command
    set -l words (__@ID@_words)
    test (count $words) -eq 1; and test $words[1] = $command
end

complete -c @NAME@ -f
)";

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string value_words(const CompletedValue& value) {
  switch (value.kind) {
    case Kind::kNone:
      return "";
    case Kind::kText:
      return " -x";
    case Kind::kFile:
      return " -r -F";
    case Kind::kFolder:
      return " -x -a '(__fish_complete_directories)'";
    case Kind::kChoice:
      return fmt::format(" -x -a '{}'", fmt::join(value.choices, " "));
  }
  return "";
}

// `condition`: the words of fish's `complete` that limit the options to a command; empty: all
// commands.
void add_options(const std::vector<CompletedOption>& options, const std::string& condition,
                 std::string& text) {
  for (const CompletedOption& option : options) {
    text += "complete -c @NAME@" + condition;
    for (const std::string& name : option.names) {
      text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    text += value_words(option.value) + " -d " + quoted(option.description) + "\n";
  }
}

void add_argument(const CompletedCommand& command, std::string& text) {
  switch (command.argument.kind) {
    case Kind::kNone:
    case Kind::kText:
      return;
    case Kind::kFile:
      text += fmt::format("complete -c @NAME@ -n '__@ID@_is {}' -F\n", command.name);
      return;
    case Kind::kFolder:
      text +=
          fmt::format("complete -c @NAME@ -n '__@ID@_is {}' -a '(__fish_complete_directories)'\n",
                      command.name);
      return;
    case Kind::kChoice:
      text += fmt::format("complete -c @NAME@ -n '__@ID@_has_no_argument {}' -a '{}'\n",
                          command.name, fmt::join(command.argument.choices, " "));
      return;
  }
}

}  // namespace

std::string fish_completion(const CompletedProgram& program) {
  std::string with_value;
  for (const CompletedOption& option : program.options) {
    if (option.value.kind == Kind::kNone) continue;
    for (const std::string& name : option.names) with_value += " " + name;
  }
  std::string text = fmt::format(kFishHead, with_value.empty() ? "''" : with_value.substr(1));
  add_options(program.options, "", text);
  for (const CompletedCommand& command : program.commands) {
    text += fmt::format("\ncomplete -c @NAME@ -n __@ID@_has_no_command -a {} -d {}\n", command.name,
                        quoted(command.summary));
    add_argument(command, text);
    add_options(command.options, fmt::format(" -n '__@ID@_is {}'", command.name), text);
  }
  return with_name(std::move(text), program);
}

}  // namespace restree
