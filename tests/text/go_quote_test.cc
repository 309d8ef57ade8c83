#include "repo/text/go_quote.h"

#include <string>

#include "repo/crypto/sha256.h"
#include "repo/format/node_name.h"
#include "repo/text/utf8.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

constexpr std::uint32_t kRunes = 0x110000;

std::string go_quoted(std::string_view name) {
  std::string out;
  append_go_quoted(name, out);
  return out;
}

TEST(GoQuote, HasTheTableOfUnicode15) {
  std::string printable;
  for (std::uint32_t rune = 0; rune < kRunes; ++rune)
    printable += is_printable_rune(rune) ? '\1' : '\0';
  EXPECT_EQ(to_hex(sha256(as_bytes(printable))),
            "a24a109bc8e347f9490466c59e4160d0dc9dd1006a5be9a4c91af71cd2e7fa99");
}

TEST(GoQuote, LeavesPrintableCharacters) { EXPECT_EQ(go_quoted("a b'é€😀\ufffd"), "a b'é€😀\ufffd"); }

TEST(GoQuote, NamesControlCharactersAsGoDoes) {
  EXPECT_EQ(go_quoted("\a\b\f\n\r\t\v\\\""), R"(\a\b\f\n\r\t\v\\\")");
  EXPECT_EQ(go_quoted("\x01\x1f\x7f"), R"(\x01\x1f\x7f)");
}

TEST(GoQuote, WritesUnprintableCharactersAsTheirNumbers) {
  EXPECT_EQ(go_quoted("\u0080\u00a0\u200d\u2028\ue000"), R"(\u0080\u00a0\u200d\u2028\ue000)");
  EXPECT_EQ(go_quoted("\U000f0000\U0010ffff"), R"(\U000f0000\U0010ffff)");
}

TEST(GoQuote, WritesEachByteThatIsNotUtf8) {
  EXPECT_EQ(go_quoted("\xff\xc3(\xed\xa0\x80\xc0\xaf"), R"(\xff\xc3(\xed\xa0\x80\xc0\xaf)");
}

TEST(GoQuote, QuotesALineOnlyIfItHasOddCharacters) {
  for (const char* const plain : {"", "/src/a b", R"(/"q"\)", "/é€😀"}) {
    EXPECT_EQ(quoted_if_odd(plain), plain);
  }
  EXPECT_EQ(quoted_if_odd("/a\nb"), R"("/a\nb")");
  EXPECT_EQ(quoted_if_odd("/\"\xff"), R"("/\"\xff")");
  EXPECT_EQ(quoted_if_odd("/\ufffd"), "\"/\ufffd\"");
  EXPECT_EQ(quoted_if_odd("\u00a0"), R"("\u00a0")");
}

TEST(GoQuote, IsUndoneByReading) {
  std::string name;
  for (std::uint32_t rune = 1; rune < kRunes; rune += rune < 0x3000 ? 1 : 97) {
    append_utf8(rune, name);
  }
  for (int byte = 255; byte > 0; --byte) name += static_cast<char>(byte);
  std::string read;
  ASSERT_TRUE(append_unquoted_name(go_quoted(name), read));
  EXPECT_EQ(read, name);
}

}  // namespace
}  // namespace restree
