// The options of a command line, read by the grammar of pflag, which restic uses.
//
//   --name VALUE   --name=VALUE   -n VALUE   -nVALUE   -n=VALUE
//   --bool         --bool=false   -b         -b=false  -vv     -bn VALUE
//
// Options may stand before, between and after the arguments; behind `--` all words are arguments. A
// value may be empty, and may begin with a dash. What several values of one option mean is decided
// by its `set`, which is called for each, in order; so the last one counts unless it collects them.
//
// Ownership: a Flags must outlive those of which it is the outer set. Threads: one.
// Errors:    kInvalid, in pflag's words: an unknown option, a value that is missing or refused.
//            Errors of `set` of another kind are returned as they are.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"

namespace restree {

// One option. It has a letter, a name, or both.
struct Flag {
  char letter = '\0';
  std::string name;  // without dashes
  std::string description = {};
  std::string value_word = {};  // what help calls the value; empty: the option is given without one
  // The value that it has when it is given without one, like "true"; empty: it needs one.
  std::string bare_value = {};
  bool is_list = false;  // several values are collected, for completions
  bool is_hidden = false;
  std::string deprecation = {};  // what to use instead; empty: not deprecated
  std::function<Status(const std::string& value)> set;
};

struct ParsedWords {
  std::vector<std::string> arguments;
  // For standard error, a line each: which options are deprecated.
  std::vector<std::string> notices;
};

class Flags {
 public:
  // Options that this set lacks are looked up in `outer`.
  void set_outer(const Flags* outer) { outer_ = outer; }

  void add(Flag flag) { flags_.push_back(std::move(flag)); }
  // This set's own, in the order of add().
  const std::vector<Flag>& flags() const { return flags_; }

  // nullptr: there is no such option.
  const Flag* find(std::string_view name) const;
  const Flag* find(char letter) const;

  // Calls `set` of each option in `words`, and returns the other words. Ends at the first error.
  Result<ParsedWords> parse(const std::vector<std::string>& words) const;

 private:
  const Flags* outer_ = nullptr;
  std::vector<Flag> flags_;
};

}  // namespace restree
