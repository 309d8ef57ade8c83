#include "tools/cli/option_words.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "program/command_line/go_values.h"

namespace restree {
namespace {

// The value of a count that is given without one, which raises it.
constexpr std::string_view kOneMore = "+1";

using Set = std::function<Status(const std::string& value)>;

Flag named(const std::string& names) {
  Flag flag;
  if (!names.starts_with("--")) flag.letter = names[1];
  flag.name = names.substr(names.find("--") + 2);
  return flag;
}

Flag with_value(const std::string& names, std::string_view word, const std::string& description,
                Set set) {
  Flag flag = named(names);
  flag.value_word = word;
  flag.description = description;
  flag.set = std::move(set);
  return flag;
}

Flag switch_flag(const std::string& names, const std::string& description, Set set) {
  Flag flag = named(names);
  flag.bare_value = "true";
  flag.description = description;
  flag.set = std::move(set);
  return flag;
}

// Stores what `parse` makes of the value.
template <class Value, class Parse>
Set storing(Value& value, Parse parse) {
  return [&value, parse](const std::string& text) -> Status {
    ASSIGN_OR_RETURN(value, parse(text));
    return {};
  };
}

Set collecting(std::vector<std::string>& values) {
  return [&values](const std::string& value) -> Status {
    values.push_back(value);
    return {};
  };
}

Flag deprecated(Flag flag, const std::string& instead) {
  flag.deprecation = instead;
  flag.is_hidden = true;
  return flag;
}

Result<std::string> any_text(const std::string& text) { return text; }

std::string_view word_for(TextIs text) {
  switch (text) {
    case TextIs::kAnything:
      return kTextWord;
    case TextIs::kFile:
      return kFileWord;
    case TextIs::kFolder:
      return kFolderWord;
  }
  return kTextWord;
}

// What giving the option comes to: `outcome`, and that of --name=false nothing.
void add_hidden(CommandSyntax& app, const std::string& names, Takes takes, const Status& outcome) {
  Flag flag = takes == Takes::kValue
                  ? with_value(names, kTextWord, "",
                               [outcome](const std::string&) -> Status { return outcome; })
                  : switch_flag(names, "", [outcome](const std::string& text) -> Status {
                      ASSIGN_OR_RETURN(const bool is_on, parse_go_bool(text));
                      if (is_on) return outcome;
                      return {};
                    });
  flag.is_hidden = true;
  app.add(std::move(flag));
}

}  // namespace

void add_flag(CommandSyntax& app, const std::string& names, bool& value,
              const std::string& description) {
  app.add(switch_flag(names, description, storing(value, parse_go_bool)));
}

void add_deprecated_flag(CommandSyntax& app, const std::string& names, bool& value,
                         const std::string& instead) {
  app.add(deprecated(switch_flag(names, "", storing(value, parse_go_bool)), instead));
}

void add_count(CommandSyntax& app, const std::string& names, std::int64_t& value,
               const std::string& description) {
  Flag flag = switch_flag(names, description, [&value](const std::string& text) -> Status {
    if (text == kOneMore) {
      ++value;
      return {};
    }
    ASSIGN_OR_RETURN(value, parse_go_int(text));
    return {};
  });
  flag.bare_value = kOneMore;
  app.add(std::move(flag));
}

void add_list(CommandSyntax& app, const std::string& names, std::vector<std::string>& values,
              const std::string& description, TextIs text) {
  Flag flag = with_value(names, word_for(text), description, collecting(values));
  flag.is_list = true;
  app.add(std::move(flag));
}

void add_comma_list(CommandSyntax& app, const std::string& names, std::vector<std::string>& values,
                    const std::string& description) {
  Flag flag =
      with_value(names, kTextWord, description, [&values](const std::string& value) -> Status {
        ASSIGN_OR_RETURN(std::vector<std::string> words, parse_go_csv(value));
        std::ranges::move(words, std::back_inserter(values));
        return {};
      });
  flag.is_list = true;
  app.add(std::move(flag));
}

void add_text(CommandSyntax& app, const std::string& names, std::string& value,
              const std::string& description, TextIs text) {
  app.add(with_value(names, word_for(text), description, storing(value, any_text)));
}

void add_text(CommandSyntax& app, const std::string& names, std::optional<std::string>& value,
              const std::string& description, TextIs text) {
  app.add(with_value(names, word_for(text), description, storing(value, any_text)));
}

void add_deprecated_text(CommandSyntax& app, const std::string& names, std::string& value,
                         const std::string& instead) {
  app.add(deprecated(with_value(names, kTextWord, "", storing(value, any_text)), instead));
}

void add_deprecated_text(CommandSyntax& app, const std::string& names,
                         std::optional<std::string>& value, const std::string& instead) {
  app.add(deprecated(with_value(names, kTextWord, "", storing(value, any_text)), instead));
}

void add_hidden_text(CommandSyntax& app, const std::string& names,
                     std::optional<std::string>& value) {
  Flag flag = with_value(names, kTextWord, "", storing(value, any_text));
  flag.is_hidden = true;
  app.add(std::move(flag));
}

void add_deprecated_list(CommandSyntax& app, const std::string& names,
                         std::vector<std::string>& values, const std::string& instead) {
  app.add(deprecated(with_value(names, kTextWord, "", collecting(values)), instead));
}

void add_duration(CommandSyntax& app, const std::string& names, std::chrono::nanoseconds& value,
                  const std::string& description) {
  app.add(with_value(names, "DURATION", description, storing(value, parse_go_duration)));
}

void add_choice(CommandSyntax& app, const std::string& names, std::string& value,
                const std::string& kind, const std::vector<std::string>& choices,
                const std::string& description) {
  const std::string list = fmt::format("{}", fmt::join(choices, "|"));
  const auto parse = [=](const std::string& text) -> Result<std::string> {
    if (std::ranges::find(choices, text) != choices.end()) return text;
    return Error(ErrorKind::kInvalid,
                 fmt::format("invalid {} {}, must be one of ({})", kind, go_quoted(text), list));
  };
  app.add(with_value(names, list, description, storing(value, parse)));
}

void add_checked_text(CommandSyntax& app, const std::string& names, std::string& value,
                      std::function<Status(const std::string& value)> check,
                      const std::string& description) {
  const auto parse = [check = std::move(check)](const std::string& text) -> Result<std::string> {
    RETURN_IF_ERROR(check(text));
    return text;
  };
  app.add(with_value(names, kTextWord, description, storing(value, parse)));
}

void add_value(CommandSyntax& app, const std::string& names, std::string_view word,
               std::function<Status(const std::string& value)> set,
               const std::string& description) {
  app.add(with_value(names, word, description, std::move(set)));
}

void add_number(CommandSyntax& app, const std::string& names, std::int64_t& value,
                const std::string& description) {
  app.add(with_value(names, "INT", description, storing(value, parse_go_int)));
}

void add_number(CommandSyntax& app, const std::string& names, std::uint64_t& value,
                const std::string& description) {
  app.add(with_value(names, "UINT", description, storing(value, parse_go_uint)));
}

void add_arguments(CommandSyntax& app, const std::string& name, std::vector<std::string>& values,
                   const std::string& description, TextIs text) {
  app.take_arguments({name, description, std::string(word_for(text)), &values});
}

void add_arguments(CommandSyntax& app, const std::string& name, std::vector<std::string>& values,
                   const std::string& description, const std::vector<std::string>& choices) {
  app.take_arguments({name, description, fmt::format("{}", fmt::join(choices, "|")), &values});
}

void refuse_option(CommandSyntax& app, const std::string& names, Takes takes,
                   const std::string& instead) {
  const Error refusal = Error(ErrorKind::kUnsupported,
                              names.substr(names.rfind(',') + 1) + " is not supported by restree")
                            .hinting(instead);
  add_hidden(app, names, takes, refusal);
}

void ignore_option(CommandSyntax& app, const std::string& names, Takes takes) {
  add_hidden(app, names, takes, {});
}

}  // namespace restree
