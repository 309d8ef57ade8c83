// man/restree.1 and the program know the same commands and options.
#include "tests/support/manual_page.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "tools/cli/global_options.h"
#include "tools/restree/restree.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::UnorderedElementsAreArray;

using Sections = std::map<std::string, std::set<std::string>>;

constexpr const char* kForAll = "OPTIONS OF ALL COMMANDS";

// The long options behind `.It Fl …` in each section.
Sections documented() {
  Sections sections;
  std::ifstream page(RESTREE_SOURCE_DIR "/man/restree.1");
  std::string section;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(".Sh ")) sections[section = line.substr(4)];
    if (!line.starts_with(".It Fl ")) continue;
    std::istringstream words(line.substr(4));
    std::string before;
    for (std::string word; words >> word; before = word) {
      if (before == "Fl" && word == "Fl" && words >> word) sections[section].insert(word);
    }
  }
  return sections;
}

// Without --help, and without refused options.
std::set<std::string> own_options(const CommandSyntax& command) {
  std::set<std::string> names;
  for (const Flag& flag : command.flags()) {
    if (!flag.is_hidden && flag.name != "help") names.insert(flag.name);
  }
  return names;
}

// With those of the commands that it has, as `key` has `key add`.
std::set<std::string> declared(const CommandSyntax& command) {
  std::set<std::string> names = own_options(command);
  for (const auto& part : command.commands()) names.merge(own_options(*part));
  return names;
}

TEST(ManualPage, HasEveryOptionOfEveryCommandAndNoOther) {
  const Sections sections = documented();
  const auto line = declared_command_line();
  EXPECT_EQ(sections.at(kForAll), own_options(*line));
  for (const auto& command : line->commands()) {
    if (command->is_hidden() || command->name() == "help") continue;
    std::string title = command->name();
    std::transform(title.begin(), title.end(), title.begin(), ::toupper);
    ASSERT_THAT(sections, Contains(Key(title)));
    EXPECT_EQ(sections.at(title), declared(*command)) << title;
  }
}

TEST(ManualPage, HasEveryExtendedOptionOnceAndNoOther) {
  const auto names =
      testing::documented_names(RESTREE_SOURCE_DIR "/man/restree.1", "EXTENDED OPTIONS");
  EXPECT_THAT(names, UnorderedElementsAreArray(extended_option_names()));
}

}  // namespace
}  // namespace restree
