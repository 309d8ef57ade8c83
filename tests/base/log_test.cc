#include "repo/base/log.h"

#include <sys/stat.h>

#include <string>

#include "repo/base/readable.h"
#include "tests/support/forked.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

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

TEST(ReadableName, IsQuotedOnlyIfItMust) {
  EXPECT_EQ(readable("a name, \"so\" \\ ümläut"), "a name, \"so\" \\ ümläut");
  EXPECT_EQ(readable("a\nb"), "\"a\\x0ab\"");
  EXPECT_EQ(readable("\x1b[31m"), "\"\\x1b[31m\"");
  EXPECT_EQ(readable("\xff"), "\"\\xff\"");
}

TEST(TextForATerminal, KeepsLinesAndTabsAndNothingThatDrivesIt) {
  EXPECT_EQ(for_terminal("a\tb\nc ü\n"), "a\tb\nc ü\n");
  EXPECT_EQ(for_terminal("\x1b[2J\r\a\x7f"), "\\x1b[2J\\x0d\\x07\\x7f");
  EXPECT_EQ(for_terminal("\xc2\x9b"
                         "2J"),
            "\\xc2\\x9b2J");
}

TEST(LogFile, IsMadeForItsOwnerAlone) {
  const testing::TempDir dir;
  const std::string path = (dir.path() / "log").string();
  const mode_t before = ::umask(0022);
  // In a child: the log of this process goes on to standard error.
  const int code = testing::exit_code_in_child([&] {
    if (!log::open_file(path)) return 1;
    log::warning("a line");
    return 0;
  });
  ::umask(before);
  ASSERT_EQ(code, 0);
  struct stat attributes {};
  ASSERT_EQ(::stat(path.c_str(), &attributes), 0);
  EXPECT_EQ(attributes.st_mode & 07777, 0600U);
  EXPECT_GT(attributes.st_size, 0);
}

}  // namespace
}  // namespace restree
