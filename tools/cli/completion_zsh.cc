// Completions for zsh, which use its function _arguments.
#include <fmt/core.h>
#include <fmt/format.h>

#include "tools/cli/completed_program.h"

namespace restree {
namespace {

using Kind = CompletedValue::Kind;

constexpr std::string_view kZshHead = R"(#compdef @NAME@
# zsh completion for @NAME@, made by: @NAME@ generate --zsh-completion FILE

)";

// The script works both as the function that compinit loads, and when a user runs
// `source`.
constexpr std::string_view kZshTail = R"(
if [[ ${funcstack[1]} == _@NAME@ ]]; then
  _@NAME@ "$@"
else
  compdef _@NAME@ @NAME@
fi
)";

// Escapes the characters that would end a part of a specification.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// The action that completes a value. A blank: there are no completions, but the value's name is
// shown.
std::string action(const CompletedValue& value) {
  switch (value.kind) {
    case Kind::kNone:
    case Kind::kText:
      return " ";
    case Kind::kFile:
      return "_files";
    case Kind::kFolder:
      return "_files -/";
    case Kind::kChoice:
      return fmt::format("({})", fmt::join(value.choices, " "));
  }
  return " ";
}

// Adds one specification for each name of the option: the names it excludes, how its value follows,
// and its description.
void add_option(const CompletedOption& option, std::string_view indent, std::string& text) {
  const bool takes_value = option.value.kind != Kind::kNone;
  for (const std::string& name : option.names) {
    std::string spec =
        option.is_repeatable ? "*" : fmt::format("({})", fmt::join(option.names, " "));
    spec += name;
    if (takes_value) spec += name.starts_with("--") ? "=" : "+";
    spec += "[" + escaped(option.description) + "]";
    if (takes_value)
      spec += fmt::format(":{}:{}", name.substr(name.rfind('-') + 1), action(option.value));
    text += fmt::format("{}{}\n", indent, single_quoted(spec));
  }
}

std::string command_case(const CompletedCommand& command) {
  std::string text = fmt::format("    {})\n      specs+=(\n", command.name);
  for (const CompletedOption& option : command.options) add_option(option, "        ", text);
  const Kind kind = command.argument.kind;
  if (kind != Kind::kNone) {
    const std::string spec = fmt::format("{}:{}:{}", kind == Kind::kChoice ? "1" : "*",
                                         escaped(command.argument_name), action(command.argument));
    text += fmt::format("        {}\n", single_quoted(spec));
    if (kind == Kind::kChoice) text += "        '*:argument: '\n";
  }
  return text + "      ) ;;\n";
}

std::string commands_function(const CompletedProgram& program) {
  std::string text = "_@NAME@_commands() {\n  local -a commands=(\n";
  for (const CompletedCommand& command : program.commands) {
    text += fmt::format("    {}\n", single_quoted(command.name + ":" + escaped(command.summary)));
  }
  return text + "  )\n  _describe -t commands command commands\n}\n\n";
}

}  // namespace

std::string zsh_completion(const CompletedProgram& program) {
  std::string text = std::string(kZshHead) + commands_function(program);
  text +=
      "_@NAME@() {\n"
      "  local curcontext=$curcontext state line\n"
      "  local -A opt_args\n"
      "  local -a specs=(\n";
  for (const CompletedOption& option : program.options) add_option(option, "    ", text);
  text +=
      "  )\n"
      "  _arguments -C -s -S $specs '1: :_@NAME@_commands' '*:: :->command' && return\n"
      "  [[ $state == command ]] || return 1\n"
      "  curcontext=${curcontext%:*}-$words[1]:\n"
      "  case $words[1] in\n";
  for (const CompletedCommand& command : program.commands) text += command_case(command);
  text +=
      "    *) return 1 ;;\n"
      "  esac\n"
      "  _arguments -s -S $specs\n"
      "}\n";
  return with_name(text + std::string(kZshTail), program);
}

}  // namespace restree
