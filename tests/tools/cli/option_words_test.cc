#include "tools/cli/option_words.h"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>

namespace restree {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(GoDuration, IsASumOfNumbersWithUnits) {
  EXPECT_THAT(parse_go_duration("5m"), Optional(Eq(5min)));
  EXPECT_THAT(parse_go_duration("1h30m"), Optional(Eq(90min)));
  EXPECT_THAT(parse_go_duration("1.5h"), Optional(Eq(90min)));
  EXPECT_THAT(parse_go_duration("100ms"), Optional(Eq(100ms)));
  EXPECT_THAT(parse_go_duration("-2s"), Optional(Eq(-2s)));
  EXPECT_THAT(parse_go_duration("0"), Optional(Eq(0s)));
  for (const char* text : {"", "5", "m", "5x", "1h 2m", "soon", "99999999h"}) {
    EXPECT_EQ(parse_go_duration(text), std::nullopt) << text;
  }
}

// The words behind `--list` and `--text`, and the arguments, after a command line.
struct Words {
  std::vector<std::string> list;
  std::string text = "default";
  std::vector<std::string> arguments;
};

Words parse(const std::vector<std::string>& line) {
  Words words;
  CLI::App app;
  add_list(app, "-l,--list", words.list, "");
  add_text(app, "-t,--text", words.text, "");
  add_arguments(app, "arguments", words.arguments, "");
  app.parse(backwards(line));
  return words;
}

TEST(OptionWords, AListTakesOneWordEachTimeWhateverItIs) {
  const Words words = parse({"--list", "a,b", "x", "-l", "", "--list={}", "y"});
  EXPECT_THAT(words.list, ElementsAre("a,b", "", "{}"));
  EXPECT_THAT(words.arguments, ElementsAre("x", "y"));
}

TEST(OptionWords, OfATextTheLastCounts) {
  EXPECT_EQ(parse({}).text, "default");
  EXPECT_EQ(parse({"--text", "a", "-t", "b"}).text, "b");
  EXPECT_EQ(parse({"--text="}).text, "");
}

TEST(OptionWords, BehindTwoDashesAllAreArguments) {
  EXPECT_THAT(parse({"a", "--", "-l", "b"}).arguments, ElementsAre("a", "-l", "b"));
  EXPECT_THAT(parse({"a", "--", "-l", "b"}).list, IsEmpty());
}

TEST(OptionWords, SoTheyAreForACommand) {
  CLI::App app;
  std::vector<std::string> arguments;
  CLI::App* command = app.add_subcommand("command");
  command->fallthrough();
  add_arguments(*command, "arguments", arguments, "");
  app.parse(backwards({"command", "a", "--", "sh", "-c", "--", "command"}));
  EXPECT_THAT(arguments, ElementsAre("a", "sh", "-c", "--", "command"));
}

}  // namespace
}  // namespace restree
