#include "tools/output/columns.h"

#include <gmock/gmock.h>
#include <locale.h>
#include <wchar.h>

#include <cstdint>
#include <string>

#include "repo/text/utf8.h"
#include "tests/support/emulator.h"

namespace restree {
namespace {

std::string as_utf8(std::uint32_t rune) {
  std::string text;
  append_utf8(rune, text);
  return text;
}

TEST(Columns, CountWhatATerminalShows) {
  EXPECT_EQ(columns_of(""), 0);
  EXPECT_EQ(columns_of("plain"), 5);
  EXPECT_EQ(columns_of("äöß"), 3);
  EXPECT_EQ(columns_of("写真"), 4);
  EXPECT_EQ(columns_of("ｶﾅ"), 2) << "half width";
  EXPECT_EQ(columns_of("한글"), 4);
  EXPECT_EQ(columns_of("\u1112\u1161\u11ab"), 2) << "the same syllable in its parts";
  EXPECT_EQ(columns_of("e\u0301"), 1);
  EXPECT_EQ(columns_of("😀"), 2);
  EXPECT_EQ(columns_of("\u200b\ufe0f"), 0);
  EXPECT_EQ(columns_of("a\xff\xc3"), 3) << "bytes that are not UTF-8";
}

// The C library knows the same of its version of Unicode; where they differ, one of them is older.
TEST(Columns, AreThoseOfTheCLibrary) {
  SKIP_UNDER_QEMU_WITHOUT_LOCALE();
  const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  ASSERT_NE(utf8, nullptr);
  const locale_t before = ::uselocale(utf8);
  std::size_t compared = 0;
  std::size_t different = 0;
  for (std::uint32_t rune = 0x20; rune < 0x110000; ++rune) {
    const int expected = ::wcwidth(static_cast<wchar_t>(rune));
    const std::string text = as_utf8(rune);
    if (expected < 0 || text.empty()) continue;
    ++compared;
    if (columns_of(text) != static_cast<std::size_t>(expected)) ++different;
  }
  ::uselocale(before);
  ::freelocale(utf8);
  EXPECT_GT(compared, 100'000);
  EXPECT_LT(different, compared / 1000);
}

TEST(Columns, CutBetweenCharacters) {
  EXPECT_EQ(first_columns("写真", 4), "写真");
  EXPECT_EQ(first_columns("写真", 3), "写");
  EXPECT_EQ(first_columns("写真", 1), "");
  EXPECT_EQ(first_columns("ae\u0301b", 2), "ae\u0301") << "a mark stays with its letter";
  EXPECT_EQ(first_columns("e\u0301", 0), "");
  EXPECT_EQ(first_columns("a\xff\xff", 2), "a\xff");
}

TEST(Columns, StatusKeepsWhatMattersMost) {
  const std::vector<StatusPart> parts = {
      {"[0:01]", 0}, {" 写真", 2}, {", rate", 3}, {" ETA 0:09", 0}};
  EXPECT_EQ(fitted(parts, 26), "[0:01] 写真, rate ETA 0:09");
  EXPECT_EQ(fitted(parts, 25), "[0:01] 写真 ETA 0:09");
  EXPECT_EQ(fitted(parts, 20), "[0:01] 写真 ETA 0:09");
  EXPECT_EQ(fitted(parts, 19), "[0:01] ETA 0:09");
  EXPECT_EQ(fitted(parts, 3), "[0:01] ETA 0:09");
}

}  // namespace
}  // namespace restree
