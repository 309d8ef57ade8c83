// What a command prints: for people or, with --json, for programs, and as much as --quiet and
// --verbose ask for. Commands ask this instead of the options, so that one place knows which line
// is printed when, and where.
//
// Ownership: `io` must outlive it.
// Threads:   any; the text of one call stays together.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "program/exit_codes.h"
#include "repo/base/result.h"
#include "tools/output/io.h"

namespace restree {

class Output {
 public:
  // `verbosity`: 0: --quiet, 1: the default, 2: --verbose, 3: --verbose twice.
  Output(Io& io, bool is_json, int verbosity) : io_(io), is_json_(is_json), verbosity_(verbosity) {}

  // For what is printed whatever the options say, and for the status line.
  Io& io() const { return io_; }
  bool is_json() const { return is_json_; }
  bool is_quiet() const { return verbosity_ < 1; }
  bool has_details() const { return verbosity_ > 1; }
  bool has_items() const { return verbosity_ > 2; }

  // A line for people on standard output; nothing with --json. say() prints it unless the command
  // is quiet, detail() with --verbose, item() with --verbose twice.
  void say(std::string_view line) const;
  void detail(std::string_view line) const;
  void item(std::string_view line) const;
  void say_even_if_quiet(std::string_view line) const;
  // As say(), with --json too: for commands of restic that have no JSON.
  void say_even_as_json(std::string_view line) const;

  // A line for people on standard error; nothing with --json or --quiet.
  void note(std::string_view line) const;
  // A line on standard error that the options do not silence.
  void warn(std::string_view line) const;

  // An object for programs as a line on standard output; nothing without --json.
  void json(std::string_view object) const;
  // The same on standard error.
  void json_error(std::string_view object) const;

  // An error about one item, after which the command goes on: on standard error as `line`, and with
  // --json as restic's object `error`. `during` names what the command was doing: "archival".
  void item_error(std::string_view during, std::string_view item, const Error& error,
                  std::string_view line) const;
  // The last message of a command that did not do all it should: on standard error, with --json as
  // restic's object `exit_error`. Returns `code`.
  ExitCode exit_error(std::string_view message, ExitCode code) const;

  // A name from a backup as it may stand in a line of standard output: on a terminal quoted if it has
  // line breaks or other bytes that would drive the terminal, else as it is, for programs.
  std::string shown(std::string_view name) const;

  // The interval at which progress is shown; zero: never. 0.1 s on a terminal and as JSON, else zero;
  // zero if quiet. RESTIC_PROGRESS_FPS (at most 60) overrides it, for people unless quiet.
  std::chrono::nanoseconds progress_interval() const;

 private:
  bool speaks_from(int verbosity) const { return !is_json_ && verbosity_ >= verbosity; }

  Io& io_;
  const bool is_json_;
  const int verbosity_;
};

}  // namespace restree
