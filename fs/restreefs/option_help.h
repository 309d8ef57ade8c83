// What `restreefs --help` prints: the usage, and a line for each option.
//
// Values; any thread. tests/fs/restreefs/options_test.cc compares the table with the options that
// there are, and the completions with the table.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace restree {

struct OptionHelp {
  std::string_view name;
  std::string_view value;  // what stands behind "="; empty for a flag
  std::string_view text;
};
struct OptionHelpGroup {
  std::string_view title;
  std::span<const OptionHelp> options;
};

// In the order of the manual page.
std::span<const OptionHelpGroup> option_help();

std::string help_text();

}  // namespace restree
