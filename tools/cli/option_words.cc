#include "tools/cli/option_words.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "tools/cli/refused_option.h"

namespace restree {
namespace {

// By itself CLI11 would take an empty value for a missing one, and "{}" for an empty list.
CLI::Option* add_raw(CLI::App& app, const std::string& names, CLI::callback_t take,
                     const std::string& description, const std::string& kind) {
  CLI::Option* option = app.add_option(names, std::move(take), description);
  option->type_name(kind)->allow_extra_args(false);
  return option;
}

CLI::Option* add_single(CLI::App& app, const std::string& names,
                        std::function<void(const std::string&)> take,
                        const std::string& description, const std::string& kind) {
  return add_raw(
             app, names,
             [take = std::move(take)](const CLI::results_t& values) {
               take(values.back());
               return true;
             },
             description, kind)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

// Put in front of each word after `--`: CLI11 2.3 would take these words for arguments of the
// program instead of the command.
constexpr std::string_view kArgumentMark = "\x01argument\x01";

CLI::ValidationError invalid(const std::string& value, const std::string& names,
                             const std::string& why) {
  return CLI::ValidationError(
      fmt::format("invalid argument \"{}\" for \"{}\": {}", value, names, why));
}

std::string word_for(TextIs text) {
  switch (text) {
    case TextIs::kAnything:
      return std::string(kTextWord);
    case TextIs::kFile:
      return std::string(kFileWord);
    case TextIs::kFolder:
      return std::string(kFolderWord);
  }
  return std::string(kTextWord);
}

std::string word_for(const std::vector<std::string>& choices) {
  return fmt::format("{}", fmt::join(choices, "|"));
}

CLI::Option* add_all_arguments(CLI::App& app, const std::string& name,
                               std::vector<std::string>& values, const std::string& description) {
  return app
      .add_option(
          name,
          [&values](const CLI::results_t& given) {
            values.clear();
            for (const std::string& word : given) {
              const bool is_marked = word.starts_with(kArgumentMark);
              values.push_back(is_marked ? word.substr(kArgumentMark.size()) : word);
            }
            return true;
          },
          description)
      ->expected(0, 1 << 29)
      ->allow_extra_args();
}

struct Unit {
  std::string_view name;
  double nanoseconds;
};
// Longer names come first, so that "ms" is tried before "m".
constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                      {"us", 1e3},
                                      {"\u00b5s", 1e3},
                                      {"\u03bcs", 1e3},
                                      {"ms", 1e6},
                                      {"s", 1e9},
                                      {"m", 60e9},
                                      {"h", 3600e9}}};

}  // namespace

std::vector<std::string> backwards(const std::vector<std::string>& words) {
  const auto options_end = std::find(words.begin(), words.end(), "--");
  std::vector<std::string> line;
  for (auto word = words.begin(); word != options_end; ++word) {
    const bool is_empty_value = word->starts_with("--") && word->find('=') == word->size() - 1;
    line.push_back(is_empty_value ? word->substr(0, word->size() - 1) : *word);
    if (is_empty_value) line.emplace_back();
  }
  for (auto word = options_end; word != words.end(); ++word) {
    if (word != options_end) line.push_back(std::string(kArgumentMark) + *word);
  }
  std::reverse(line.begin(), line.end());
  return line;
}

void add_flag(CLI::App& app, const std::string& names, bool& value,
              const std::string& description) {
  app.add_flag(names, value, description);
}

void add_hidden_flag(CLI::App& app, const std::string& names, bool& value) {
  app.add_flag(names, value)->group("");
}

void add_number(CLI::App& app, const std::string& names, std::int64_t& value,
                const std::string& description) {
  app.add_option(names, value, description);
}

void add_number(CLI::App& app, const std::string& names, std::uint64_t& value,
                const std::string& description) {
  app.add_option(names, value, description);
}

void add_list(CLI::App& app, const std::string& names, std::vector<std::string>& values,
              const std::string& description, TextIs text) {
  add_raw(
      app, names,
      [&values](const CLI::results_t& given) {
        values = given;
        return true;
      },
      description, word_for(text))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_arguments(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                   const std::string& description, TextIs text) {
  add_all_arguments(app, name, values, description)->type_name(word_for(text));
}

void add_arguments(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                   const std::string& description, const std::vector<std::string>& choices) {
  add_all_arguments(app, name, values, description)->type_name(word_for(choices));
}

void add_text(CLI::App& app, const std::string& names, std::string& value,
              const std::string& description, TextIs text) {
  add_single(
      app, names, [&value](const std::string& given) { value = given; }, description,
      word_for(text));
}

void add_duration(CLI::App& app, const std::string& names, std::chrono::nanoseconds& value,
                  const std::string& description) {
  add_single(
      app, names,
      [&value, names](const std::string& given) {
        const auto parsed = parse_go_duration(given);
        if (!parsed || parsed->count() < 0) {
          throw invalid(given, names, "not a duration like 5m or 1h30m");
        }
        value = *parsed;
      },
      description, "DURATION");
}

void add_choice(CLI::App& app, const std::string& names, std::string& value,
                const std::vector<std::string>& choices, const std::string& description) {
  add_single(
      app, names,
      [&value, names, choices](const std::string& given) {
        if (std::find(choices.begin(), choices.end(), given) == choices.end()) {
          throw invalid(given, names, fmt::format("must be one of ({})", fmt::join(choices, "|")));
        }
        value = given;
      },
      description, word_for(choices));
}

RefusedOption::RefusedOption(std::string name, std::string instead)
    : CLI::ValidationError(name),
      error_(restree::Error(ErrorKind::kUnsupported, name + " is not supported by restree")
                 .hinting(std::move(instead))) {}

void refuse_option(CLI::App& app, const std::string& names, Takes takes,
                   const std::string& instead) {
  const std::string name = names.substr(names.rfind(',') + 1);
  CLI::Option* option =
      takes == Takes::kValue
          ? app.add_option(
                names, [=](const CLI::results_t&) -> bool { throw RefusedOption(name, instead); })
          : app.add_flag_function(names, [=](std::int64_t) { throw RefusedOption(name, instead); });
  option->group("");  // hides it from help and completions
  if (takes == Takes::kValue) {
    option->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double count = 0;
    const auto [end, failure] =
        std::from_chars(text.data(), text.data() + text.size(), count, std::chars_format::fixed);
    if (failure != std::errc() || count < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto* unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& candidate) {
      return text.starts_with(candidate.name);
    });
    if (unit == kUnits.end()) return std::nullopt;
    total += count * unit->nanoseconds;
    text.remove_prefix(unit->name.size());
  }
  if (total > 9.2e18) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(negative ? -total : total));
}

}  // namespace restree
