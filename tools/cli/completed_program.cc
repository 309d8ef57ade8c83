#include "tools/cli/completed_program.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string_view>
#include <utility>

#include "tools/cli/option_words.h"

namespace restree {
namespace {

using Kind = CompletedValue::Kind;

// `word`: the name of the value in help. For a choice that is the list of its words, in lower case.
CompletedValue value_called(const std::string& word) {
  if (word == kFileWord) return {Kind::kFile, {}};
  if (word == kFolderWord) return {Kind::kFolder, {}};
  if (word.empty() || std::islower(static_cast<unsigned char>(word.front())) == 0) {
    return {Kind::kText, {}};
  }
  CompletedValue value{Kind::kChoice, {}};
  std::istringstream words(word);
  for (std::string choice; std::getline(words, choice, '|');) value.choices.push_back(choice);
  return value;
}

CompletedOption completed(const Flag& flag) {
  CompletedOption made;
  if (flag.letter != '\0') made.names.push_back({'-', flag.letter});
  if (!flag.name.empty()) made.names.push_back("--" + flag.name);
  made.description = flag.description;
  if (!flag.value_word.empty()) made.value = value_called(flag.value_word);
  made.is_repeatable = flag.is_list;
  return made;
}

std::vector<CompletedOption> completed_options(const Flags& flags) {
  std::vector<CompletedOption> options;
  for (const Flag& flag : flags.flags()) {
    if (!flag.is_hidden) options.push_back(completed(flag));
  }
  return options;
}

// Its own options, and those of its commands, each once.
std::vector<CompletedOption> all_options(const CommandSyntax& command) {
  std::vector<CompletedOption> options = completed_options(command);
  for (const auto& part : command.commands()) {
    for (CompletedOption& option : completed_options(*part)) {
      const bool is_there = std::ranges::any_of(
          options, [&](const CompletedOption& one) { return one.names == option.names; });
      if (!is_there) options.push_back(std::move(option));
    }
  }
  return options;
}

// Where a command has commands of its own, its argument is the name of one.
void complete_argument(const CommandSyntax& command, CompletedCommand& made) {
  if (const auto& arguments = command.arguments()) {
    made.argument = value_called(arguments->value_word);
    made.argument_name = arguments->name;
    return;
  }
  for (const auto& part : command.commands()) {
    if (part->is_hidden()) continue;
    made.argument.kind = Kind::kChoice;
    made.argument.choices.push_back(part->name());
    made.argument_name = "command";
  }
}

}  // namespace

CompletedProgram completed_program(const CommandSyntax& program) {
  CompletedProgram made;
  made.name = program.name();
  made.options = completed_options(program);
  for (const auto& part : program.commands()) {
    if (part->is_hidden()) continue;
    CompletedCommand command{part->name(), part->summary(), all_options(*part), {}, {}};
    complete_argument(*part, command);
    made.commands.push_back(std::move(command));
  }
  return made;
}

std::string with_name(std::string script, const CompletedProgram& program) {
  std::string id = program.name;
  std::ranges::replace_if(
      id, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  const auto replace = [&script](std::string_view mark, const std::string& text) {
    for (std::size_t at = 0; (at = script.find(mark, at)) != std::string::npos; at += text.size()) {
      script.replace(at, mark.size(), text);
    }
  };
  replace("@NAME@", program.name);
  replace("@ID@", id);
  return script;
}

std::string single_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace restree
