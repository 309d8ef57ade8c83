#include "repo/rescue/paper_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using testing::value_of;

SealKey a_key() {
  std::array<std::byte, 64> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37 + 5);
  return value_of(SealKey::from_derived(bytes));
}

Config a_config() {
  Config config{.version = 2, .id = {}, .chunker_polynomial = 0x3dea92648f6e83};
  config.id.bytes.fill(std::byte{0xa7});
  return config;
}

std::string written() { return std::string(value_of(write_paper_key(a_config(), a_key())).text()); }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end + 1 - begin));
    begin = end + 1;
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

void expect_whole(const Result<PaperKey>& read) {
  ASSERT_OK(read);
  EXPECT_EQ(read->config.version, 2U);
  EXPECT_EQ(read->config.id, a_config().id);
  EXPECT_EQ(read->config.chunker_polynomial, a_config().chunker_polynomial);
  const SealKey key = a_key();
  EXPECT_EQ(as_text(read->master.encrypt()), as_text(key.encrypt()));
  EXPECT_EQ(as_text(read->master.mac_k()), as_text(key.mac_k()));
  EXPECT_EQ(as_text(read->master.mac_r()), as_text(key.mac_r()));
}

TEST(PaperKey, IsEightLinesOfDigitsInGroups) {
  const auto lines = lines_of(written());
  ASSERT_EQ(lines.size(), 8U);
  for (const std::string& line : lines) {
    EXPECT_THAT(line, MatchesRegex("[1-8]:( [0-9A-HJKMNP-TV-Z]{4}){6}  [0-9A-HJKMNP-TV-Z]{4}\n"));
  }
}

// What was printed once must be read for ever.
TEST(PaperKey, OfTheFirstFormIsReadByEveryLaterProgram) {
  EXPECT_EQ(lines_of(written()).front(), "1: 041A F9X7 MYKT F9X7 MYKT F9X7  CBNV\n");
}

TEST(PaperKey, GivesBackWhatItWasMadeOf) { expect_whole(read_paper_key(written())); }

TEST(PaperKey, IsReadAsPeopleTypeIt) {
  std::string typed = "Rescue key of a repository: keep it\n\n";
  for (char c : written()) {
    if (c == '1' && typed.back() != '\n') c = 'l';
    if (c == '0') c = 'o';
    typed += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (c == ' ') typed += '-';
  }
  expect_whole(read_paper_key(typed));
  auto lines = lines_of(written());
  std::reverse(lines.begin(), lines.end());
  lines.front().pop_back();  // the last line break may be missing too
  std::rotate(lines.begin(), lines.begin() + 1, lines.end());
  expect_whole(read_paper_key(joined(lines)));
}

TEST(PaperKey, EveryWrongDigitIsFoundInItsLine) {
  const std::string right = written();
  std::size_t line = 1;
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (right[i] == '\n') ++line;
    const bool is_digit = std::isalnum(static_cast<unsigned char>(right[i])) && right[i + 1] != ':';
    if (!is_digit) continue;
    std::string wrong = right;
    wrong[i] = wrong[i] == '7' ? '8' : '7';
    const auto read = read_paper_key(wrong);
    ASSERT_THAT(read, FailsWith(ErrorKind::kInvalid)) << wrong;
    EXPECT_EQ(read.error().message(), "line " + std::to_string(line) + " of the key has a mistake");
  }
}

TEST(PaperKey, ALineThatIsMissingOrThereTwiceIsNamed) {
  auto lines = lines_of(written());
  const std::string third = lines[2];
  lines.erase(lines.begin() + 2);
  EXPECT_EQ(read_paper_key(joined(lines)).error().message(), "line 3 of the key is missing");
  EXPECT_EQ(read_paper_key(written() + third).error().message(),
            "line 3 of the key is there twice");
  std::string swapped = written();
  swapped[lines[0].size()] = '3';
  EXPECT_FALSE(read_paper_key(swapped));
}

TEST(PaperKey, ALineOfAnotherLengthOrWithAForeignCharacterSaysSo) {
  auto lines = lines_of(written());
  lines[0].erase(lines[0].size() - 3, 1);
  EXPECT_EQ(read_paper_key(joined(lines)).error().message(),
            "line 1 of the key has 27 digits, and should have 28");
  lines = lines_of(written());
  lines[4][5] = '#';
  EXPECT_EQ(read_paper_key(joined(lines)).error().message(),
            "line 5 of the key has '#', which is no digit");
}

TEST(PaperKey, LinesOfTwoPapersDoNotMakeAKey) {
  Config other = a_config();
  other.id.bytes.fill(std::byte{1});
  auto lines = lines_of(written());
  lines[1] = lines_of(std::string(value_of(write_paper_key(other, a_key())).text()))[1];
  EXPECT_THAT(read_paper_key(joined(lines)), FailsWith(ErrorKind::kCorrupt));
}

TEST(PaperKey, OtherTextIsNone) {
  for (const char* text : {"", "\n", "hello", "{}", "9: 0000", "1", "1:"}) {
    EXPECT_FALSE(read_paper_key(text)) << text;
  }
}

}  // namespace
}  // namespace restree
