#include "tools/commands/pattern_options.h"

#include "tools/cli/option_words.h"

namespace restree {

void add_pattern_options(CommandSyntax& app, const std::string& word, PatternOptions& options) {
  const std::string verb = word == "exclude" ? "Leave out" : "Take only";
  add_list(app, "-" + word.substr(0, 1) + ",--" + word, options.patterns,
           verb + " what matches this pattern (repeatable)");
  add_list(app, "--i" + word, options.patterns_ignoring_case,
           "As --" + word + ", without regard to the case of letters");
  add_list(app, "--" + word + "-file", options.files,
           "Read patterns for --" + word + " from a file (repeatable)", TextIs::kFile);
  add_list(app, "--i" + word + "-file", options.files_ignoring_case,
           "As --" + word + "-file, without regard to the case of letters", TextIs::kFile);
}

}  // namespace restree
