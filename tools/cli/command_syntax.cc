#include "tools/cli/command_syntax.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <numeric>
#include <utility>

#include "program/command_line/go_values.h"

namespace restree {
namespace {

// Whether the option `word` takes the next word for its value; so does one that is not known.
bool takes_next_word(const Flags& flags, std::string_view word) {
  if (word.find('=') != std::string_view::npos) return false;
  const bool is_name = word.starts_with("--");
  if (!is_name && word.size() != 2) return false;
  const Flag* const flag = is_name ? flags.find(word.substr(2)) : flags.find(word[1]);
  return flag == nullptr || flag->bare_value.empty();
}

// The position of the first word that is neither an option nor the value of one.
std::optional<std::size_t> find_plain_word(const Flags& flags,
                                           const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") break;
    if (word.starts_with('-') && word != "-") {
      if (takes_next_word(flags, word)) ++i;
    } else if (!word.empty() && word != "-") {
      return i;
    }
  }
  return std::nullopt;
}

struct Found {
  const CommandSyntax* command;
  std::vector<std::string> words;  // without the names of commands
};

Found find_command_of(const CommandSyntax& program, const std::vector<std::string>& words) {
  Found found{&program, words};
  while (const auto at = find_plain_word(*found.command, found.words)) {
    const CommandSyntax* const next = found.command->find_command(found.words[*at]);
    if (next == nullptr) break;
    found.words.erase(found.words.begin() + static_cast<std::ptrdiff_t>(*at));
    found.command = next;
    if (next->is_refused()) break;
  }
  return found;
}

std::string in_lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// How many bytes have to be inserted, removed or replaced to make one word of the other.
std::size_t edit_distance(const std::string& from, const std::string& to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = from[i] == to[j] ? diagonal : 1 + std::min({diagonal, above, row[j]});
      diagonal = above;
    }
  }
  return row.back();
}

std::vector<std::string> similar_commands(const CommandSyntax& program, const std::string& word) {
  constexpr std::size_t kMostEdits = 2;
  const std::string wanted = in_lower_case(word);
  std::vector<std::string> names;
  for (const auto& command : program.commands()) {
    if (command->is_hidden()) continue;
    const std::string& name = command->name();
    if (name.starts_with(wanted) || edit_distance(wanted, name) <= kMostEdits) {
      names.push_back(name);
    }
  }
  return names;
}

Error refuse_arguments(const CommandSyntax& command) {
  const std::string name = command.full_name();
  const std::size_t space = name.find(' ');
  const std::string program = name.substr(0, space);
  const std::string path = space == std::string::npos ? "" : name.substr(space + 1);
  return {ErrorKind::kInvalid,
          fmt::format("the {} command expects no arguments, only options - please see `{} help {}` "
                      "for usage and flags",
                      path, program, path)};
}

}  // namespace

CommandSyntax::CommandSyntax(std::string name, std::string summary)
    : name_(std::move(name)), summary_(std::move(summary)) {}

std::string CommandSyntax::full_name() const {
  return parent_ == nullptr ? name_ : parent_->full_name() + " " + name_;
}

CommandSyntax& CommandSyntax::add_command(std::string name, std::string summary) {
  auto command = std::make_unique<CommandSyntax>(std::move(name), std::move(summary));
  command->parent_ = this;
  command->set_outer(this);
  commands_.push_back(std::move(command));
  return *commands_.back();
}

void CommandSyntax::refuse_command(std::string name, std::string instead) {
  add_command(std::move(name), "").refusal_ = std::move(instead);
}

const CommandSyntax* CommandSyntax::find_command(std::string_view name) const {
  const auto found =
      std::ranges::find_if(commands_, [&](const auto& command) { return command->name_ == name; });
  return found == commands_.end() ? nullptr : found->get();
}

Error CommandSyntax::refusal() const {
  const std::string name = full_name();
  const std::size_t space = name.find(' ');
  // Also where the program was called by restic's name: restic has the command.
  return Error(ErrorKind::kUnsupported,
               fmt::format("restree has no command {}", name.substr(space + 1)))
      .hinting(refusal_.value_or(""));
}

void CommandSyntax::add_help() {
  add({.letter = 'h',
       .name = "help",
       .description = "Print this help and exit",
       .bare_value = "true",
       .set = [this](const std::string& value) -> Status {
         ASSIGN_OR_RETURN(wants_help_, parse_go_bool(value));
         return {};
       }});
}

Error no_such_command(const CommandSyntax& program, const std::string& word) {
  Error error(ErrorKind::kInvalid,
              fmt::format("unknown command {} for \"{}\"", go_quoted(word), program.full_name()));
  const std::vector<std::string> similar = similar_commands(program, word);
  if (similar.empty()) {
    return std::move(error).hinting(program.full_name() + " --help lists the commands.");
  }
  std::string hint = "\nDid you mean this?";
  for (const std::string& name : similar) hint += "\n\t" + name;
  return std::move(error).hinting(std::move(hint));
}

Result<ParsedCommand> parse_command(const CommandSyntax& program,
                                    const std::vector<std::string>& words) {
  const Found found = find_command_of(program, words);
  const CommandSyntax& command = *found.command;
  if (command.is_refused()) return command.refusal();
  if (!command.commands().empty() && !command.arguments()) {
    if (const auto at = find_plain_word(command, found.words)) {
      return no_such_command(command, found.words[*at]);
    }
  }
  Result<ParsedWords> parsed = command.parse(found.words);
  if (!parsed && parsed.error().kind() == ErrorKind::kInvalid) {
    return std::move(parsed).error().hinting(command.full_name() + " --help lists its options.");
  }
  RETURN_IF_ERROR(parsed);
  if (!command.is_help_wanted()) {
    if (const auto& arguments = command.arguments()) {
      *arguments->values = std::move(parsed->arguments);
    } else if (!parsed->arguments.empty() && command.commands().empty()) {
      return refuse_arguments(command);
    }
  }
  if (const auto& instead = command.deprecation()) {
    parsed->notices.insert(
        parsed->notices.begin(),
        fmt::format("Command {} is deprecated, {}", go_quoted(command.name()), *instead));
  }
  return ParsedCommand{&command, std::move(parsed->notices)};
}

}  // namespace restree
