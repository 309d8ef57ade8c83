#include "tools/output/output_file.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public ::testing::Test {
 protected:
  OutputFileTest() { testing::write_file(there_, "the old content"); }

  testing::TempDir dir_;
  const fs::path there_ = dir_.path() / "there";
  const fs::path new_ = dir_.path() / "new";
};

TEST_F(OutputFileTest, TheFirstBytesTakeThePlaceOfTheOldContent) {
  for (const fs::path& path : {there_, new_}) {
    auto file = testing::value_of(OutputFile::create(path));
    ASSERT_OK(file.write(as_bytes("one")));
    ASSERT_OK(file.write(as_bytes(" and two")));
    ASSERT_OK(file.finish());
    EXPECT_EQ(testing::read_file(path), "one and two");
  }
}

TEST_F(OutputFileTest, WithoutAByteTheOldContentStaysAndNothingIsMade) {
  for (const fs::path& path : {there_, new_}) testing::value_of(OutputFile::create(path));
  EXPECT_EQ(testing::read_file(there_), "the old content");
  EXPECT_FALSE(fs::exists(new_));
}

TEST_F(OutputFileTest, AnEmptyOutputEmptiesTheFile) {
  for (const fs::path& path : {there_, new_}) {
    ASSERT_OK(testing::value_of(OutputFile::create(path)).finish());
    EXPECT_EQ(testing::read_file(path), "");
  }
}

TEST_F(OutputFileTest, ADeviceIsWrittenTo) {
  auto file = testing::value_of(OutputFile::create("/dev/null"));
  EXPECT_OK(file.write(as_bytes("anything")));
}

TEST_F(OutputFileTest, ADumpThatFindsNothingLeavesItsTargetAsItWas) {
  testing::TwoSnapshots repository;
  const auto dump_to = [&](const std::string& path, const fs::path& target) {
    return repository.run({"dump", "latest", path, "--target", target.string()}).code;
  };
  EXPECT_EQ(dump_to("/srv/mistyped", there_), ExitCode::kFailure);
  EXPECT_EQ(dump_to("/srv/mistyped", new_), ExitCode::kFailure);
  repository.memory.remove_packs_of(repository.data);
  EXPECT_EQ(dump_to("/srv/f", there_), ExitCode::kFailure);
  EXPECT_EQ(testing::read_file(there_), "the old content");
  EXPECT_FALSE(fs::exists(new_));
}

}  // namespace
}  // namespace restree
