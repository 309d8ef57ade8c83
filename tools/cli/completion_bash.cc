// Completions for bash, which shows names without descriptions.
#include <fmt/core.h>
#include <fmt/format.h>

#include "tools/cli/completed_program.h"

namespace restree {
namespace {

using Kind = CompletedValue::Kind;

constexpr std::string_view kBashHead =
    R"(# bash completion for @NAME@, made by: @NAME@ generate --bash-completion FILE

)";

// bash splits words at `:`, `=` and `@`, also within locations and --option=value, so the script
// joins them again. File names are completed by readline, which quotes them correctly.
constexpr std::string_view kBashTail = R"(
_@ID@() {
  local -a seen=()
  local glued='' i
  for ((i = 1; i <= COMP_CWORD; ++i)); do
    local part=${COMP_WORDS[i]}
    if ((${#seen[@]})) && [[ $part =~ ^[=:@]+$ ]]; then
      seen[-1]+=$part
      glued=1
    elif [[ -n $glued && -n $part ]]; then
      seen[-1]+=$part
      glued=''
    else
      seen+=("$part")
      glued=''
    fi
  done
  local word=${seen[-1]}
  unset 'seen[-1]'

  local command='' option='' options_end='' arguments=0 kind='' choices='' before=''
  for part in "${seen[@]}"; do
    if [[ -n $option ]]; then
      option=''
    elif [[ -z $options_end && $part == -- ]]; then
      options_end=1
    elif [[ -z $options_end && $part == --*=* ]]; then
      :
    elif [[ -z $options_end && $part == -?* ]]; then
      _@ID@_value "$command" "$part"
      [[ -z $kind ]] || option=$part
    elif [[ -z $command ]]; then
      command=$part
    else
      ((++arguments))
    fi
  done

  COMPREPLY=()
  if [[ -n $option ]]; then
    _@ID@_value "$command" "$option"
  elif [[ -z $options_end && $word == --*=* ]]; then
    _@ID@_value "$command" "${word%%=*}"
    [[ $COMP_WORDBREAKS == *=* ]] || before=${word%%=*}=
    word=${word#*=}
  elif [[ -z $options_end && $word == -* ]]; then
    _@ID@_options "$command"
  else
    _@ID@_argument "$command" "$arguments"
  fi
  case $kind in
    choice) mapfile -t COMPREPLY < <(compgen -P "$before" -W "$choices" -- "$word") ;;
    file) compopt -o default ;;
    folder) compopt -o dirnames ;;
  esac
}

complete -F _@ID@ @NAME@
)";

std::string assigned(const CompletedValue& value) {
  switch (value.kind) {
    case Kind::kNone:
      return "kind=''";
    case Kind::kText:
      return "kind=text";
    case Kind::kFile:
      return "kind=file";
    case Kind::kFolder:
      return "kind=folder";
    case Kind::kChoice:
      return fmt::format("kind=choice choices='{}'", fmt::join(value.choices, " "));
  }
  return "kind=''";
}

// The branches of one `case $2 in`, one for each option that takes a value.
std::string value_cases(const std::vector<CompletedOption>& options, std::string_view indent) {
  std::string cases;
  for (const CompletedOption& option : options) {
    if (option.value.kind == Kind::kNone) continue;
    cases += fmt::format("{}{}) {} ;;\n", indent, fmt::join(option.names, " | "),
                         assigned(option.value));
  }
  return cases;
}

// The shell function that looks up the kind of value of option $2, of the command $1 or of all.
std::string value_function(const CompletedProgram& program) {
  std::string text = "_@ID@_value() {\n  kind=''\n  case $1 in\n";
  for (const CompletedCommand& command : program.commands) {
    const std::string cases = value_cases(command.options, "        ");
    if (cases.empty()) continue;
    text += fmt::format("    {})\n      case $2 in\n{}      esac ;;\n", command.name, cases);
  }
  text += "  esac\n  [[ -z $kind ]] || return\n  case $2 in\n";
  return text + value_cases(program.options, "    ") + "  esac\n}\n\n";
}

std::string all_names(const std::vector<CompletedOption>& options) {
  std::string names;
  for (const CompletedOption& option : options) {
    for (const std::string& name : option.names) names += (names.empty() ? "" : " ") + name;
  }
  return names;
}

// The shell function that lists the options of the command $1 and those of all commands.
std::string options_function(const CompletedProgram& program) {
  std::string text =
      fmt::format("_@ID@_options() {{\n  kind=choice\n  choices='{}'\n  case $1 in\n",
                  all_names(program.options));
  for (const CompletedCommand& command : program.commands) {
    text += fmt::format("    {}) choices+=' {}' ;;\n", command.name, all_names(command.options));
  }
  return text + "  esac\n}\n\n";
}

// The shell function that completes the argument of the command $1 that follows $2 other arguments;
// without a command, it completes the command's name.
std::string argument_function(const CompletedProgram& program) {
  std::string names;
  std::string cases;
  for (const CompletedCommand& command : program.commands) {
    names += (names.empty() ? "" : " ") + command.name;
    if (command.argument.kind == Kind::kNone) continue;
    const bool is_first_only = command.argument.kind == Kind::kChoice;
    cases += fmt::format("    {}) {}{} ;;\n", command.name, is_first_only ? "(($2)) || " : "",
                         assigned(command.argument));
  }
  return fmt::format(
      "_@ID@_argument() {{\n  kind=''\n  case $1 in\n    '') kind=choice choices='{}' ;;\n"
      "{}  esac\n}}\n",
      names, cases);
}

}  // namespace

std::string bash_completion(const CompletedProgram& program) {
  return with_name(std::string(kBashHead) + value_function(program) + options_function(program) +
                       argument_function(program) + std::string(kBashTail),
                   program);
}

}  // namespace restree
