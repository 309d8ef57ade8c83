#include "repo/base/log.h"

#include <string>

#include "tests/support/matchers.h"

namespace restree {
namespace {

TEST(QuotedName, KeepsReadableText) {
  EXPECT_EQ(log::quoted("a name"), "\"a name\"");
  EXPECT_EQ(log::quoted("ümläut 😀"), "\"ümläut 😀\"");
  EXPECT_EQ(log::quoted(""), "\"\"");
}

TEST(QuotedName, CannotForgeALineOrDriveATerminal) {
  EXPECT_EQ(log::quoted("a\nb"), "\"a\\x0ab\"");
  EXPECT_EQ(log::quoted("\x1b[2J"), "\"\\x1b[2J\"");
  EXPECT_EQ(log::quoted("\xc2\x9b"
                        "2J"),
            "\"\\xc2\\x9b2J\"");
  EXPECT_EQ(log::quoted("say \"hi\"\\"), "\"say \\x22hi\\x22\\x5c\"");
}

TEST(QuotedName, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(log::quoted("\xff\xc3"), "\"\\xff\\xc3\"");
  EXPECT_EQ(log::quoted(std::string_view("\0", 1)), "\"\\x00\"");
}

}  // namespace
}  // namespace restree
