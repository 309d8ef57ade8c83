// pflag's grammar, row by row. What is expected was seen of restic 0.19.1, and of pflag itself where
// restic has no such option.
#include "program/command_line/flags.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "program/command_line/go_values.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::value_of;

// A command line and what is left of it: what the options were set to, in order, then the arguments;
// or the message of the error.
struct Row {
  std::vector<std::string> words;
  std::vector<std::string> set;
  std::vector<std::string> arguments;
  std::string refusal = {};
};

// -b and --bool, -c and --count without values; -t and --text with one; -n and --number with a
// number; --only-long and -o without the other name.
class Grammar : public ::testing::TestWithParam<Row> {
 protected:
  Grammar() {
    const auto note = [this](const std::string& name) {
      return [this, name](const std::string& value) -> Status {
        seen_.push_back(name + "=" + value);
        return {};
      };
    };
    flags_.add({.letter = 'b',
                .name = "bool",
                .bare_value = "true",
                .set = [note = note("bool")](const std::string& value) -> Status {
                  RETURN_IF_ERROR(parse_go_bool(value));
                  return note(value);
                }});
    flags_.add({.letter = 'c', .name = "count", .bare_value = "+1", .set = note("count")});
    flags_.add({.letter = 't', .name = "text", .value_word = "TEXT", .set = note("text")});
    flags_.add({.letter = 'n',
                .name = "number",
                .value_word = "INT",
                .set = [note = note("number")](const std::string& value) -> Status {
                  RETURN_IF_ERROR(parse_go_int(value));
                  return note(value);
                }});
    outer_.add({.name = "only-long", .value_word = "TEXT", .set = note("only-long")});
    outer_.add({.letter = 'o', .name = "", .value_word = "TEXT", .set = note("o")});
    flags_.set_outer(&outer_);
  }

  Flags outer_;
  Flags flags_;
  std::vector<std::string> seen_;
};

TEST_P(Grammar, IsPflags) {
  const Row& row = GetParam();
  const Result<ParsedWords> parsed = flags_.parse(row.words);
  EXPECT_EQ(seen_, row.set);
  if (!row.refusal.empty()) {
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().message(), row.refusal);
    EXPECT_EQ(parsed.error().kind(), ErrorKind::kInvalid);
  } else {
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(parsed->arguments, row.arguments);
  }
}

INSTANTIATE_TEST_SUITE_P(
    ValuesOfLongOptions, Grammar,
    ::testing::Values(Row{{"--text", "a"}, {"text=a"}, {}},    //
                      Row{{"--text=a"}, {"text=a"}, {}},       //
                      Row{{"--text="}, {"text="}, {}},         //
                      Row{{"--text", ""}, {"text="}, {}},      //
                      Row{{"--text=a=b"}, {"text=a=b"}, {}},   //
                      Row{{"--text", "-x"}, {"text=-x"}, {}},  //
                      Row{{"--text", "--"}, {"text=--"}, {}},  //
                      Row{{"--text", "[a,b]"}, {"text=[a,b]"}, {}},
                      Row{{"--text", "{}"}, {"text={}"}, {}},
                      Row{{"--only-long", "a"}, {"only-long=a"}, {}},
                      Row{{"--text", "a", "--text", "b"}, {"text=a", "text=b"}, {}},
                      Row{{"--text"}, {}, {}, "flag needs an argument: --text"}));

INSTANTIATE_TEST_SUITE_P(
    ValuesOfShortOptions, Grammar,
    ::testing::Values(Row{{"-t", "a"}, {"text=a"}, {}},    //
                      Row{{"-ta"}, {"text=a"}, {}},        //
                      Row{{"-t=a"}, {"text=a"}, {}},       //
                      Row{{"-t="}, {"text=="}, {}},        //
                      Row{{"-t=="}, {"text=="}, {}},       //
                      Row{{"-t", ""}, {"text="}, {}},      //
                      Row{{"-t", "-b"}, {"text=-b"}, {}},  //
                      Row{{"-tb"}, {"text=b"}, {}},        //
                      Row{{"-btx"}, {"bool=true", "text=x"}, {}},
                      Row{{"-bt", "x"}, {"bool=true", "text=x"}, {}},
                      Row{{"-bt=x"}, {"bool=true", "text=x"}, {}},
                      Row{{"-oa", "-o=b", "-o", "c"}, {"o=a", "o=b", "o=c"}, {}},
                      Row{{"-t"}, {}, {}, "flag needs an argument: 't' in -t"},
                      Row{{"-bt"}, {"bool=true"}, {}, "flag needs an argument: 't' in -t"}));

INSTANTIATE_TEST_SUITE_P(
    OptionsWithoutValues, Grammar,
    ::testing::Values(
        Row{{"--bool"}, {"bool=true"}, {}},                  //
        Row{{"-b"}, {"bool=true"}, {}},                      //
        Row{{"--bool=false"}, {"bool=false"}, {}},           //
        Row{{"-b=false"}, {"bool=false"}, {}},               //
        Row{{"-b=T"}, {"bool=T"}, {}},                       //
        Row{{"--bool", "false"}, {"bool=true"}, {"false"}},  //
        Row{{"-ccc"}, {"count=+1", "count=+1", "count=+1"}, {}},
        Row{{"-bc"}, {"bool=true", "count=+1"}, {}},  //
        Row{{"-cb=0"}, {"count=+1", "bool=0"}, {}},   //
        Row{{"--count=3"}, {"count=3"}, {}},          //
        Row{{"-c=3"}, {"count=3"}, {}},               //
        Row{{"--bool=maybe"},
            {},
            {},
            "invalid argument \"maybe\" for \"-b, --bool\" flag: strconv.ParseBool: parsing "
            "\"maybe\": invalid syntax"},
        Row{{"--bool="},
            {},
            {},
            "invalid argument \"\" for \"-b, --bool\" flag: strconv.ParseBool: parsing \"\": "
            "invalid syntax"},
        Row{{"-b="}, {"bool=true"}, {}, "unknown shorthand flag: '=' in -="},
        Row{{"-c2"}, {"count=+1"}, {}, "unknown shorthand flag: '2' in -2"}));

INSTANTIATE_TEST_SUITE_P(
    Numbers, Grammar,
    ::testing::Values(
        Row{{"-n", "1", "--number=2"}, {"number=1", "number=2"}, {}},
        Row{{"-n", "-1"}, {"number=-1"}, {}}, Row{{"-n=0x10"}, {"number=0x10"}, {}},
        Row{{"--number="},
            {},
            {},
            "invalid argument \"\" for \"-n, --number\" flag: strconv.ParseInt: "
            "parsing \"\": invalid syntax"},
        Row{{"--number", "99999999999999999999"},
            {},
            {},
            "invalid argument \"99999999999999999999\" for \"-n, --number\" flag: "
            "strconv.ParseInt: parsing \"99999999999999999999\": value out of range"}));

INSTANTIATE_TEST_SUITE_P(
    Arguments, Grammar,
    ::testing::Values(Row{{}, {}, {}},                                          //
                      Row{{"a", "-b", "c"}, {"bool=true"}, {"a", "c"}},         //
                      Row{{"", "-", "a"}, {}, {"", "-", "a"}},                  //
                      Row{{"[z]", "[a,b]", "{}"}, {}, {"[z]", "[a,b]", "{}"}},  //
                      Row{{"a", "--", "-b", "--", "--text"}, {}, {"a", "-b", "--", "--text"}},
                      Row{{"--"}, {}, {}}));

INSTANTIATE_TEST_SUITE_P(
    WordsThatAreNotOptions, Grammar,
    ::testing::Values(
        Row{{"--foo"}, {}, {}, "unknown flag: --foo"},
        Row{{"--foo=1"}, {}, {}, "unknown flag: --foo"}, Row{{"--b"}, {}, {}, "unknown flag: --b"},
        Row{{"--o"}, {}, {}, "unknown flag: --o"}, Row{{"--boo"}, {}, {}, "unknown flag: --boo"},
        Row{{"---bool"}, {}, {}, "bad flag syntax: ---bool"},
        Row{{"--=a"}, {}, {}, "bad flag syntax: --=a"},
        Row{{"-x"}, {}, {}, "unknown shorthand flag: 'x' in -x"},
        Row{{"-bxc"}, {"bool=true"}, {}, "unknown shorthand flag: 'x' in -xc"},
        Row{{"-'"}, {}, {}, "unknown shorthand flag: '\\'' in -'"},
        Row{{"-\""}, {}, {}, "unknown shorthand flag: '\"' in -\""},
        Row{{"-\xc3\xa9"}, {}, {}, "unknown shorthand flag: '\xc3\x83' in -\xc3\xa9"}));

TEST(Flags, ADeprecatedOptionWorksAndIsNoticed) {
  std::string seen;
  Flags flags;
  flags.add({.name = "old",
             .value_word = "TEXT",
             .deprecation = "use --new",
             .set = [&](const std::string& value) -> Status {
               seen = value;
               return {};
             }});
  EXPECT_THAT(value_of(flags.parse({"--old", "a"})).notices,
              ElementsAre("Flag --old has been deprecated, use --new"));
  EXPECT_EQ(seen, "a");
  EXPECT_THAT(value_of(flags.parse({"a"})).notices, IsEmpty());
}

TEST(Flags, AnErrorOfAnotherKindIsReturnedAsItIs) {
  Flags flags;
  flags.add({.letter = 'r', .name = "refused", .bare_value = "true", .set = [](const auto&) {
               return Status(Error(ErrorKind::kUnsupported, "not here"));
             }});
  const auto parsed = flags.parse({"-r"});
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(parsed.error().message(), "not here");
}

}  // namespace
}  // namespace restree
