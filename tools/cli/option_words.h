// Declares options of the command line with values of the kinds and notations that restic accepts.
//
// Errors: while CLI11 parses, an invalid value throws CLI::ValidationError, which run_restree()
//         turns into an Error.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "tools/cli/cli_app.h"

namespace restree {

// A command line in reverse order, as CLI::App::parse takes it. The empty value of `--name=`
// becomes a word of its own, since CLI11 would not see it otherwise.
std::vector<std::string> backwards(const std::vector<std::string>& words);

// What a text value names, for help and completions.
enum class TextIs : std::uint8_t { kAnything, kFile, kFolder };
// The names of such values in help. A choice is shown as the list of its words instead.
inline constexpr std::string_view kTextWord = "TEXT";
inline constexpr std::string_view kFileWord = "FILE";
inline constexpr std::string_view kFolderWord = "FOLDER";

// An option without a value.
void add_flag(CLI::App& app, const std::string& names, bool& value, const std::string& description);
// The same, but hidden from help.
void add_hidden_flag(CLI::App& app, const std::string& names, bool& value);
// An option that may be given several times, each time with one value, of any text.
void add_list(CLI::App& app, const std::string& names, std::vector<std::string>& values,
              const std::string& description, TextIs text = TextIs::kAnything);
// An option with one value of any text; the last one counts, as in restic.
void add_text(CLI::App& app, const std::string& names, std::string& value,
              const std::string& description, TextIs text = TextIs::kAnything);
// The same for a span of time as Go writes it: 5m, 1h30m, 90s.
void add_duration(CLI::App& app, const std::string& names, std::chrono::nanoseconds& value,
                  const std::string& description);
// The same for one of several words.
void add_choice(CLI::App& app, const std::string& names, std::string& value,
                const std::vector<std::string>& choices, const std::string& description);

// The same for a whole number.
void add_number(CLI::App& app, const std::string& names, std::int64_t& value,
                const std::string& description);
void add_number(CLI::App& app, const std::string& names, std::uint64_t& value,
                const std::string& description);

// The arguments that are not options, each any text.
void add_arguments(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                   const std::string& description, TextIs text = TextIs::kAnything);
// The same, where the first argument is one of several words; the command itself checks that.
void add_arguments(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                   const std::string& description, const std::vector<std::string>& choices);

enum class Takes { kNothing, kValue };
// An option that restic has and Restree does not: using it is an error that names it. `instead`: a
// sentence that says why, or what to do instead.
void refuse_option(CLI::App& app, const std::string& names, Takes takes,
                   const std::string& instead);

// Go's time.ParseDuration, for spans of up to 292 years.
std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text);

}  // namespace restree
