// Options that are written as words after -o: `name` or `name=value`.
//
// A table of NamedOption<Target> lists the options and what each does to a Target; options that
// several programs share stand in one table, which each applies to its own settings. Values; any
// thread.
// Errors: kInvalid: the option's name and what is wrong with its value.
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"

namespace restree {

template <class Target>
struct NamedOption {
  std::string_view name;
  bool takes_value;
  std::function<Status(const std::string& value, Target& target)> apply;
};

template <class Target>
using OptionTable = std::vector<NamedOption<Target>>;

// The error of an environment variable, in restic's words.
Error bad_variable(std::string_view name, const std::string& value, const std::string& why);

Error bad_value(std::string_view name, const std::string& value, std::string_view wanted);
Result<std::uint64_t> parse_number(std::string_view name, const std::string& value, int base = 10);
// A number of bytes, optionally with K, M, G or T behind it.
Result<std::uint64_t> parse_size(std::string_view name, const std::string& value);
// The same for bytes in memory: kInvalid if `Size`, which counts them, is of 32 bits and cannot.
template <class Size = std::size_t>
Result<Size> parse_memory_size(std::string_view name, const std::string& value) {
  ASSIGN_OR_RETURN(const std::uint64_t bytes, parse_size(name, value));
  if (bytes > std::numeric_limits<Size>::max()) {
    return bad_value(name, value, "too large: this processor can address 4 GiB of memory");
  }
  return static_cast<Size>(bytes);
}

// Stores its value in the string that `member(target)` refers to.
template <class Target, class Member>
NamedOption<Target> text_option(std::string_view name, Member member) {
  return {name, true, [member](const std::string& value, Target& target) -> Status {
            member(target) = value;
            return {};
          }};
}

// A whole number from `least` to `most`, handed to `take(target, number)`.
template <class Target, class Take>
NamedOption<Target> number_option(std::string_view name, std::uint64_t least, std::uint64_t most,
                                  Take take, int base = 10) {
  return {name, true, [=](const std::string& value, Target& target) -> Status {
            ASSIGN_OR_RETURN(const std::uint64_t parsed, parse_number(name, value, base));
            if (parsed < least || parsed > most) {
              return bad_value(name, value, fmt::format("must be from {} to {}", least, most));
            }
            take(target, parsed);
            return {};
          }};
}

template <class Target, class Take>
NamedOption<Target> flag_option(std::string_view name, Take take) {
  return {name, false, [take](const std::string&, Target& target) -> Status {
            take(target);
            return {};
          }};
}

// The same option for a Target whose `member(target)` is what the option is about.
template <class Target, class Part, class Member>
NamedOption<Target> option_within(const NamedOption<Part>& option, Member member) {
  return {option.name, option.takes_value,
          [apply = option.apply, member](const std::string& value, Target& target) {
            return apply(value, member(target));
          }};
}

// `word` is "name" or "name=value"; nullptr if the table has no such name.
template <class Target>
const NamedOption<Target>* find_option(const OptionTable<Target>& table, std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  for (const NamedOption<Target>& option : table) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

template <class Target>
Status apply_option(const NamedOption<Target>& option, const std::string& word, Target& target) {
  const std::size_t equals = word.find('=');
  const bool has_value = equals != std::string::npos;
  if (option.takes_value && !has_value) {
    return Error(ErrorKind::kInvalid,
                 fmt::format("option {} needs a value: {}=…", option.name, option.name));
  }
  if (!option.takes_value && has_value) {
    return Error(ErrorKind::kInvalid, fmt::format("option {} takes no value", option.name));
  }
  return option.apply(has_value ? word.substr(equals + 1) : std::string(), target);
}

}  // namespace restree
