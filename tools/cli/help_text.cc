// What --help prints of a command.
#include <fmt/core.h>

#include "tools/cli/command_syntax.h"

namespace restree {
namespace {

constexpr std::size_t kColumn = 34;

// `left`, and `right` behind it in its own column; on a line of its own if `left` is too long.
std::string row(std::string left, const std::string& right) {
  left.insert(0, "  ");
  if (left.size() >= kColumn) return fmt::format("{}\n{:{}}{}\n", left, "", kColumn, right);
  return fmt::format("{:{}}{}\n", left, kColumn, right);
}

std::string names_of(const Flag& flag) {
  std::string text;
  if (flag.letter != '\0') text = fmt::format("-{}{}", flag.letter, flag.name.empty() ? "" : ", ");
  if (!flag.name.empty()) text += "--" + flag.name;
  if (!flag.value_word.empty()) text += " " + flag.value_word;
  return text;
}

std::string usage(const CommandSyntax& command) {
  std::string text = "Usage: " + command.full_name() + " [OPTIONS]";
  if (const auto& arguments = command.arguments()) {
    text += fmt::format(" [{}...]", arguments->name);
  } else if (!command.commands().empty()) {
    text += " [COMMAND]";
  }
  return text;
}

}  // namespace

std::string help_text(const CommandSyntax& command) {
  std::string text = command.summary() + "\n" + usage(command) + "\n";
  if (const auto& arguments = command.arguments()) {
    text += "\nArguments:\n";
    text += row(fmt::format("{} {} ...", arguments->name, arguments->value_word),
                arguments->description);
  }
  text += "\nOptions:\n";
  for (const Flag& flag : command.flags()) {
    if (!flag.is_hidden) text += row(names_of(flag), flag.description);
  }
  std::string commands;
  for (const auto& part : command.commands()) {
    if (!part->is_hidden()) commands += row(part->name(), part->summary());
  }
  if (!commands.empty()) text += "\nCommands:\n" + commands;
  return command.footer.empty() ? text : text + "\n" + command.footer + "\n";
}

}  // namespace restree
