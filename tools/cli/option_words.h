// Declares options of the command line with values of the kinds and notations that restic accepts.
//
// `names` is "-n,--name" or "--name". `value` must outlive the parsing; it keeps what it has as the
// default.
// Errors: of parsing: kInvalid, in the words of Go's libraries; see program/command_line/flags.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/cli/command_syntax.h"

namespace restree {

// What a text value names, for help and completions.
enum class TextIs : std::uint8_t { kAnything, kFile, kFolder };
// The names of such values in help. A choice is shown as the list of its words instead.
inline constexpr std::string_view kTextWord = "TEXT";
inline constexpr std::string_view kFileWord = "FILE";
inline constexpr std::string_view kFolderWord = "FOLDER";

// An option without a value; --name=false and --name=true are allowed.
void add_flag(CommandSyntax& app, const std::string& names, bool& value,
              const std::string& description);
// The same, but hidden from help: using it prints that it is deprecated, and `instead`.
void add_deprecated_flag(CommandSyntax& app, const std::string& names, bool& value,
                         const std::string& instead);
// An option that counts how often it is given; --name=2 sets the count.
void add_count(CommandSyntax& app, const std::string& names, std::int64_t& value,
               const std::string& description);
// An option that may be given several times, each time with one value, of any text.
void add_list(CommandSyntax& app, const std::string& names, std::vector<std::string>& values,
              const std::string& description, TextIs text = TextIs::kAnything);
// The same, where each value may hold several words, as a line of comma-separated values: a,"b,c".
void add_comma_list(CommandSyntax& app, const std::string& names, std::vector<std::string>& values,
                    const std::string& description);
// An option with one value of any text; the last one counts, as in restic.
void add_text(CommandSyntax& app, const std::string& names, std::string& value,
              const std::string& description, TextIs text = TextIs::kAnything);
// The same, where an empty text differs from none.
void add_text(CommandSyntax& app, const std::string& names, std::optional<std::string>& value,
              const std::string& description, TextIs text = TextIs::kAnything);
// The same, but hidden from help: using it prints that it is deprecated, and `instead`.
void add_deprecated_text(CommandSyntax& app, const std::string& names, std::string& value,
                         const std::string& instead);
void add_deprecated_text(CommandSyntax& app, const std::string& names,
                         std::optional<std::string>& value, const std::string& instead);
// The same, but hidden without a notice.
void add_hidden_text(CommandSyntax& app, const std::string& names,
                     std::optional<std::string>& value);
void add_deprecated_list(CommandSyntax& app, const std::string& names,
                         std::vector<std::string>& values, const std::string& instead);
// An option with one span of time as Go writes it: 5m, 1h30m, 90s.
void add_duration(CommandSyntax& app, const std::string& names, std::chrono::nanoseconds& value,
                  const std::string& description);
// An option with one of several words for its value. `kind`: what they are, for messages ("sort mode").
void add_choice(CommandSyntax& app, const std::string& names, std::string& value,
                const std::string& kind, const std::vector<std::string>& choices,
                const std::string& description);
// An option with one text that `check` accepts.
void add_checked_text(CommandSyntax& app, const std::string& names, std::string& value,
                      std::function<Status(const std::string& value)> check,
                      const std::string& description);

// An option with one value that `set` stores or refuses. `word`: what help calls the value.
void add_value(CommandSyntax& app, const std::string& names, std::string_view word,
               std::function<Status(const std::string& value)> set, const std::string& description);

// An option with one whole number.
void add_number(CommandSyntax& app, const std::string& names, std::int64_t& value,
                const std::string& description);
void add_number(CommandSyntax& app, const std::string& names, std::uint64_t& value,
                const std::string& description);

// The arguments that are not options, each any text.
void add_arguments(CommandSyntax& app, const std::string& name, std::vector<std::string>& values,
                   const std::string& description, TextIs text = TextIs::kAnything);
// The same, where the first argument is one of several words; the command itself checks that.
void add_arguments(CommandSyntax& app, const std::string& name, std::vector<std::string>& values,
                   const std::string& description, const std::vector<std::string>& choices);

enum class Takes { kNothing, kValue };
// An option that restic has and Restree does not: using it is an error that names it. `instead`: a
// sentence that says why, or what to do instead.
void refuse_option(CommandSyntax& app, const std::string& names, Takes takes,
                   const std::string& instead);
// An option of restic's about something that Restree does not do, which changes nothing: scripts give
// such options to every command.
void ignore_option(CommandSyntax& app, const std::string& names, Takes takes);

}  // namespace restree
