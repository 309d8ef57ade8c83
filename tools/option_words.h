// What the command line's options are made of, in the ways in which restic takes them.
//
// Errors: a value that is none throws CLI::ValidationError, which the parser of the command line
//         turns into an Error; nothing else may call these.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"

namespace restree {

// A command line as CLI::App::parse takes it, from its end, and with the empty value of `--name=`
// as a word of its own, since CLI11 does not see it otherwise.
std::vector<std::string> backwards(const std::vector<std::string>& words);

// An option that may be given several times, each time with one value, of any text.
CLI::Option* add_list(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                      const std::string& description);
// An option with one value of any text; the last one counts, as in restic.
CLI::Option* add_text(CLI::App& app, const std::string& names, std::string& value,
                      const std::string& description);
// The same for a span of time as Go writes it: 5m, 1h30m, 90s.
CLI::Option* add_duration(CLI::App& app, const std::string& names, std::chrono::nanoseconds& value,
                          const std::string& description);
// The same for one of several words.
CLI::Option* add_choice(CLI::App& app, const std::string& names, std::string& value,
                        const std::vector<std::string>& choices, const std::string& description);

// The arguments that are no options, each of any text.
CLI::Option* add_arguments(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                           const std::string& description);

enum class Takes { kNothing, kValue };
// An option that restic knows and Restree does not: it is refused by its name. `instead` says why,
// or what to do, as a sentence.
void refuse_option(CLI::App& app, const std::string& names, Takes takes,
                   const std::string& instead);

// What parsing throws for an option that is refused.
class RefusedOption : public CLI::ValidationError {
 public:
  RefusedOption(std::string name, std::string instead);
  const restree::Error& error() const { return error_; }

 private:
  restree::Error error_;
};

// Go's time.ParseDuration, for spans of up to 292 years.
std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text);

}  // namespace restree
