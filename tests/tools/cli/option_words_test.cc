#include "tools/cli/option_words.h"

#include <gmock/gmock.h>

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The words behind `--list`, `--commas` and `--text`, and the arguments, after a command line.
struct Words {
  std::vector<std::string> list;
  std::vector<std::string> commas;
  std::string text = "default";
  std::int64_t number = 7;
  std::int64_t count = 0;
  bool flag = false;
  std::vector<std::string> arguments;
};

Result<ParsedCommand> parse_into(Words& words, const std::vector<std::string>& line) {
  CommandSyntax program("program", "");
  add_list(program, "-l,--list", words.list, "");
  add_comma_list(program, "-o,--commas", words.commas, "");
  add_text(program, "-t,--text", words.text, "");
  add_number(program, "--number", words.number, "");
  add_count(program, "-v,--verbose", words.count, "");
  add_flag(program, "--flag", words.flag, "");
  add_arguments(program, "arguments", words.arguments, "");
  return parse_command(program, line);
}

Words parse(const std::vector<std::string>& line) {
  Words words;
  const auto parsed = parse_into(words, line);
  EXPECT_TRUE(parsed) << parsed.error().message();
  return words;
}

TEST(OptionWords, AListTakesOneWordEachTimeWhateverItIs) {
  const Words words = parse({"--list", "a,b", "x", "-l", "", "--list={}", "y", "-l=[z]"});
  EXPECT_THAT(words.list, ElementsAre("a,b", "", "{}", "[z]"));
  EXPECT_THAT(words.arguments, ElementsAre("x", "y"));
}

TEST(OptionWords, ACommaListTakesSeveral) {
  EXPECT_THAT(parse({"-o", "a=1,b=2", "-o=\"c=3,4\""}).commas, ElementsAre("a=1", "b=2", "c=3,4"));
}

TEST(OptionWords, OfATextTheLastCounts) {
  EXPECT_EQ(parse({}).text, "default");
  EXPECT_EQ(parse({"--text", "a", "-t", "b"}).text, "b");
  EXPECT_EQ(parse({"--text="}).text, "");
}

TEST(OptionWords, OfANumberTheLastCounts) {
  EXPECT_EQ(parse({}).number, 7);
  EXPECT_EQ(parse({"--number", "1", "--number=0x2"}).number, 2);
}

TEST(OptionWords, ACountIsSetOrRaised) {
  EXPECT_EQ(parse({"-vv", "-v"}).count, 3);
  EXPECT_EQ(parse({"-v", "--verbose=5", "-v"}).count, 6);
}

TEST(OptionWords, OfAFlagTheLastCounts) {
  EXPECT_TRUE(parse({"--flag"}).flag);
  EXPECT_FALSE(parse({"--flag", "--flag=false"}).flag);
}

TEST(OptionWords, BehindTwoDashesAllAreArguments) {
  EXPECT_THAT(parse({"a", "--", "-l", "b"}).arguments, ElementsAre("a", "-l", "b"));
  EXPECT_THAT(parse({"a", "--", "-l", "b"}).list, IsEmpty());
}

TEST(OptionWords, SoTheyAreForACommand) {
  std::vector<std::string> arguments;
  CommandSyntax program("program", "");
  add_arguments(program.add_command("command", ""), "arguments", arguments, "");
  EXPECT_TRUE(parse_command(program, {"command", "a", "--", "sh", "-c", "--", "command"}));
  EXPECT_THAT(arguments, ElementsAre("a", "sh", "-c", "--", "command"));
}

TEST(OptionWords, AChoiceNamesTheOthers) {
  std::string value = "one";
  CommandSyntax program("program", "");
  add_choice(program, "-s,--sort", value, "sort mode", {"one", "two"}, "");
  EXPECT_TRUE(parse_command(program, {"-s=two"}));
  EXPECT_EQ(value, "two");
  const auto parsed = parse_command(program, {"--sort", "x"});
  ASSERT_FALSE(parsed);
  EXPECT_EQ(
      parsed.error().message(),
      "invalid argument \"x\" for \"-s, --sort\" flag: invalid sort mode \"x\", must be one of "
      "(one|two)");
}

TEST(OptionWords, ARefusedOptionIsNamedUnlessItIsOff) {
  CommandSyntax program("program", "");
  refuse_option(program, "-x,--bad", Takes::kNothing, "Do without.");
  refuse_option(program, "--worse", Takes::kValue, "Do without.");
  for (const auto& words : std::vector<std::vector<std::string>>{{"-x"}, {"--bad=1"}}) {
    const auto parsed = parse_command(program, words);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().message(), "--bad is not supported by restree");
    EXPECT_EQ(parsed.error().hint(), "Do without.");
  }
  EXPECT_FALSE(parse_command(program, {"--worse="}));
  EXPECT_TRUE(parse_command(program, {"--bad=false"}));
}

}  // namespace
}  // namespace restree
