// What a soak judges by: the manifest tells every kind of difference, and each reader finds a wrong
// byte. On plain folders, without a mount.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "tests/soak/manifest.h"
#include "tests/soak/readers.h"
#include "tests/soak/source_folder.h"
#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Judging : public ::testing::Test {
 protected:
  Judging() {
    fs::create_directories(folder() / "sub/deep");
    write_random_file(folder() / "sub/file", 1, 3 * kHashedBlock + 100);
    write_file(folder() / "small", "a few bytes");
    write_file(folder() / "sub-other", "sorts before what is in sub");
    fs::create_symlink("small", folder() / "link");
    manifest_ = take_manifest(folder());
    run_ok({.argv = {"cp", "-aT", folder().string(), copy().string()}});
  }
  fs::path folder() const { return dir_.path() / "folder"; }
  fs::path copy() const { return dir_.path() / "copy"; }
  // Changes a file and leaves its time.
  template <class Change>
  static void quietly(const fs::path& path, Change change) {
    const auto time = fs::last_write_time(path);
    change();
    fs::last_write_time(path, time);
  }
  void flip_in_copy() const {
    quietly(copy() / "sub/file", [&] { flip_byte(copy() / "sub/file", kHashedBlock + 5); });
  }

  TempDir dir_;
  Manifest manifest_;
};

TEST_F(Judging, ACopyHasNoDifferencesAndNorHasAPartOfIt) {
  EXPECT_EQ(differences(manifest_, copy()), "");
  EXPECT_EQ(differences(part_of(manifest_, "sub"), copy() / "sub"), "");
  EXPECT_EQ(differences(part_of(manifest_, "sub/deep"), copy() / "sub/deep"), "");
}

TEST_F(Judging, OneBitOfAFileIsADifference) {
  flip_in_copy();
  EXPECT_EQ(differences(manifest_, copy()), "'sub/file': CONTENT of block 1\n");
}

TEST_F(Judging, NamesSizesModesTimesAndTargetsAreDifferences) {
  quietly(copy(), [&] {
    quietly(copy() / "sub/file", [&] { fs::resize_file(copy() / "sub/file", 7); });
    fs::remove(copy() / "link");
    fs::create_symlink("sub", copy() / "link");
    fs::remove(copy() / "sub-other");
    write_file(copy() / "more", "");
    fs::last_write_time(copy() / "small", fs::file_time_type::clock::now() + std::chrono::hours(1));
    ASSERT_EQ(::chmod((copy() / "small").c_str(), 0600), 0);
  });
  EXPECT_THAT(differences(manifest_, copy()),
              AllOf(HasSubstr("'sub/file': size"), HasSubstr("'link': "), HasSubstr(" target"),
                    HasSubstr("'sub-other': is missing"), HasSubstr("'more': was never saved"),
                    HasSubstr("'small': mode time")));
}

TEST_F(Judging, EveryReaderFindsAllRightWhereItIs) {
  SplitMix64 random(1);
  for (const Reader& reader : readers()) {
    for (int i = 0; i < 20; ++i) {
      const Reading reading = reader.read(copy(), manifest_, random);
      EXPECT_THAT(reading.wrong + reading.error, IsEmpty()) << reader.name;
    }
  }
  const Reading reading = read_all(copy(), manifest_);
  EXPECT_THAT(reading.wrong + reading.error, IsEmpty());
  EXPECT_GT(reading.bytes, 3 * kHashedBlock);
}

TEST_F(Judging, EveryReaderOfBytesFindsAWrongOne) {
  flip_in_copy();
  EXPECT_THAT(read_all(copy(), manifest_).wrong, HasSubstr("sub/file: block 1 is wrong"));
  for (const Reader& reader : readers()) {
    if (std::string(reader.name) == "find") continue;
    SplitMix64 random(1);
    std::string wrong;
    for (int i = 0; i < 100 && wrong.empty(); ++i) {
      wrong = reader.read(copy(), manifest_, random).wrong;
    }
    EXPECT_THAT(wrong, Not(IsEmpty())) << reader.name;
  }
}

TEST_F(Judging, AFileThatIsGoneOrCutShortIsAnErrorOrWrong) {
  fs::remove(copy() / "small");
  EXPECT_THAT(read_all(copy(), manifest_).wrong, HasSubstr("other names"));
  fs::resize_file(copy() / "sub/file", 100);
  SplitMix64 random(1);
  for (const Reader& reader : readers()) {
    std::string said;
    for (int i = 0; i < 100 && said.empty(); ++i) {
      const Reading reading = reader.read(copy(), manifest_, random);
      said = reading.wrong + reading.error;
    }
    EXPECT_THAT(said, Not(IsEmpty())) << reader.name;
  }
}

TEST(SourceFolder, TheSameNumbersMakeTheSameFolderAndEachChangeAnother) {
  const TempDir dir;
  const auto contents = [](const fs::path& root) {
    std::string text;
    for (const auto& [path, entry] : take_manifest(root)) {
      text += path + ' ' + entry.target + '\n';
      for (const auto& block : entry.blocks) {
        text.append(reinterpret_cast<const char*>(block.data()), block.size());
      }
    }
    return text;
  };
  for (const char* name : {"one", "other"}) fs::create_directory(dir.path() / name);
  SplitMix64 random(7);
  SplitMix64 again(7);
  make_source_folder(dir.path() / "one", random);
  make_source_folder(dir.path() / "other", again);
  EXPECT_TRUE(contents(dir.path() / "one") == contents(dir.path() / "other"));
  change_source_folder(dir.path() / "one", random);
  EXPECT_FALSE(contents(dir.path() / "one") == contents(dir.path() / "other"));
  change_source_folder(dir.path() / "other", again);
  EXPECT_TRUE(contents(dir.path() / "one") == contents(dir.path() / "other"));
}

}  // namespace
}  // namespace restree::testing
