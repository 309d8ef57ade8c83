// What the command line's options are made of, in the ways in which restic takes them.
//
// Errors: a value that is none throws CLI::ValidationError, which the parser of the command line
//         turns into an Error; nothing else may call these.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "tools/cli_app.h"

namespace restree {

// A command line as CLI::App::parse takes it, from its end, and with the empty value of `--name=`
// as a word of its own, since CLI11 does not see it otherwise.
std::vector<std::string> backwards(const std::vector<std::string>& words);

// What a text is, for help and completions. Help calls a choice by its words.
enum class TextIs : std::uint8_t { kAnything, kFile, kFolder };
// How help calls these.
inline constexpr std::string_view kTextWord = "TEXT";
inline constexpr std::string_view kFileWord = "FILE";
inline constexpr std::string_view kFolderWord = "FOLDER";

// An option without a value.
void add_flag(CLI::App& app, const std::string& names, bool& value, const std::string& description);
// The same, which no help shows.
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

// The arguments that are no options, each of any text.
void add_arguments(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                   const std::string& description, TextIs text = TextIs::kAnything);
// The same where the first is one of several words, which the command itself checks.
void add_arguments(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                   const std::string& description, const std::vector<std::string>& choices);

enum class Takes { kNothing, kValue };
// An option that restic knows and Restree does not: it is refused by its name. `instead` says why,
// or what to do, as a sentence.
void refuse_option(CLI::App& app, const std::string& names, Takes takes,
                   const std::string& instead);

// Go's time.ParseDuration, for spans of up to 292 years.
std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text);

}  // namespace restree
