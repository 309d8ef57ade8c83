#include "repo/archiver/files_from.h"

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::value_of;
using testing::write_file;

class FilesFrom : public ::testing::Test {
 protected:
  FilesFrom() {
    fs::create_directories(at("a"));
    fs::create_directories(at("b"));
    for (const char* name : {"a/1.txt", "a/2.txt", "b/1.txt", "b/.hid", "[x]"}) {
      write_file(at(name), "");
    }
  }
  std::string at(const std::string& name) const { return (dir_.path() / name).string(); }
  std::string list(const std::string& content) const {
    write_file(at("list"), content);
    return at("list");
  }
  Result<std::vector<std::string>> targets(const FilesFromOptions& options) {
    return targets_from_files(options, [this](const Error& error) { warnings_.push_back(error); });
  }

  testing::TempDir dir_;
  std::vector<Error> warnings_;
};

TEST_F(FilesFrom, ExpandsThePatternsOfALine) {
  const std::string file = list("# comment\n\n  " + at("*/1.txt") + " \r\n" + at("b/*") + "\n");
  EXPECT_THAT(value_of(targets({.files_from = {file}})),
              ElementsAre(at("a/1.txt"), at("b/1.txt"), at("b/.hid"), at("b/1.txt")));
}

TEST_F(FilesFrom, WarnsOfPatternsThatMatchNothing) {
  EXPECT_THAT(value_of(targets({.files_from = {list(at("nothing*") + "\n" + at("no"))}})),
              IsEmpty());
  EXPECT_THAT(warnings_, SizeIs(2));
}

TEST_F(FilesFrom, RefusesAMalformedPattern) {
  EXPECT_THAT(targets({.files_from = {list("a[")}}), FailsWith(ErrorKind::kInvalid));
}

TEST_F(FilesFrom, VerbatimTakesLinesAsTheyStand) {
  EXPECT_THAT(value_of(targets({.verbatim = {list(" a*\n\n# b\r\n")}})), ElementsAre(" a*", "# b"));
}

TEST_F(FilesFrom, RawTakesEverythingButZero) {
  EXPECT_THAT(value_of(targets({.raw = {list(std::string(" a\n*\0b\0", 7))}})),
              ElementsAre(" a\n*", "b"));
  EXPECT_THAT(targets({.raw = {list("a")}}), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(targets({.raw = {list(std::string("a\0\0", 3))}}), FailsWith(ErrorKind::kInvalid));
}

// As `find -print0` writes them.
TEST_F(FilesFrom, ListsOfLinesHoldNoZeroByte) {
  const std::string print0 = at("a/1.txt") + '\0' + at("b/1.txt") + '\0';
  const std::string in_the_last_line = at("a/1.txt") + "\n" + at("b/*") + '\0' + "\n";
  for (const std::string& content : {print0, in_the_last_line}) {
    const std::string file = list(content);
    for (const FilesFromOptions& options :
         {FilesFromOptions{.files_from = {file}}, FilesFromOptions{.verbatim = {file}}}) {
      const auto result = targets(options);
      ASSERT_THAT(result, FailsWith(ErrorKind::kInvalid));
      EXPECT_THAT(result.error().message(), HasSubstr(file + ": a zero byte in the line"));
      EXPECT_THAT(result.error().hint(), HasSubstr("--files-from-raw"));
    }
  }
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(FilesFrom, TheZeroBytesOfUtf16AreNoneOfTheText) {
  EXPECT_THAT(value_of(targets({.verbatim = {list(std::string("\xff\xfe"
                                                              "a\0\n\0",
                                                              6))}})),
              ElementsAre("a"));
  EXPECT_THAT(targets({.verbatim = {list(std::string("\xff\xfe"
                                                     "a\0\0\0",
                                                     6))}}),
              FailsWith(ErrorKind::kInvalid));
}

TEST_F(FilesFrom, NamesTheOptionAndTheFileThatIsMissing) {
  const auto result = targets({.verbatim = {"/nonexistent"}});
  ASSERT_THAT(result, FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(result.error().message(), HasSubstr("--files-from-verbatim: open /nonexistent"));
}

TEST_F(FilesFrom, GlobsAsGoDoes) {
  EXPECT_THAT(value_of(expand_glob(at("a/[1-9].txt"))), ElementsAre(at("a/1.txt"), at("a/2.txt")));
  EXPECT_THAT(value_of(expand_glob(at("\\[x\\]"))), ElementsAre(at("[x]")));
  EXPECT_THAT(value_of(expand_glob(at("a"))), ElementsAre(at("a")));
  EXPECT_THAT(value_of(expand_glob("/roo*")), ElementsAre("/root"));
  EXPECT_THAT(value_of(expand_glob(at("*/*/x"))), IsEmpty());
}

}  // namespace
}  // namespace restree
