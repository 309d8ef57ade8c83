#include "tools/cli/completed_program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <sstream>

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

CompletedOption completed(const CLI::Option& option) {
  CompletedOption made;
  for (const std::string& name : option.get_snames()) made.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) made.names.push_back("--" + name);
  made.description = option.get_description();
  if (option.get_expected_max() > 0) made.value = value_called(option.get_type_name());
  made.is_repeatable = option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  return made;
}

std::vector<CompletedOption> completed_options(const CLI::App& app) {
  std::vector<CompletedOption> options;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty() && !option->get_positional()) {
      options.push_back(completed(*option));
    }
  }
  return options;
}

}  // namespace

CompletedProgram completed_program(const CLI::App& app) {
  CompletedProgram program;
  program.options = completed_options(app);
  const auto is_shown = [](const CLI::App* part) { return !part->get_group().empty(); };
  for (const CLI::App* part : app.get_subcommands(is_shown)) {
    CompletedCommand command{part->get_name(), part->get_description(), {}, {}, {}};
    command.options = completed_options(*part);
    for (const CLI::Option* option : part->get_options()) {
      if (!option->get_positional()) continue;
      command.argument = value_called(option->get_type_name());
      command.argument_name = option->get_name(true);
    }
    program.commands.push_back(std::move(command));
  }
  return program;
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
