#include "repo/checker/read_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::IsEmpty;
using testing::value_of;

PackId pack(unsigned char number) {
  PackId id;
  id.bytes.fill(std::byte{number});
  return id;
}

class ReadTimesFile : public ::testing::Test {
 protected:
  testing::TempDir dir_;
  const std::string folder_ = (dir_.path() / "state" / "packs-read").string();
  const std::string path_ = folder_ + "/repository";
};

TEST_F(ReadTimesFile, ReadsWhatItHasWrittenForTheOwnerOnly) {
  const ReadTimes times{{pack(1), 1'800'000'000}, {pack(2), -5}};
  ASSERT_OK(save_read_times(path_, times));
  EXPECT_EQ(value_of(load_read_times(path_)), times);
  struct stat attributes {};
  ASSERT_EQ(::stat(path_.c_str(), &attributes), 0);
  EXPECT_EQ(attributes.st_mode & 07777, 0600U);
  ASSERT_EQ(::stat(folder_.c_str(), &attributes), 0);
  EXPECT_EQ(attributes.st_mode & 07777, 0700U);
}

TEST_F(ReadTimesFile, WithoutAFileNothingWasRead) {
  EXPECT_THAT(value_of(load_read_times(path_)), IsEmpty());
}

TEST_F(ReadTimesFile, AFileOfAnotherFormIsRefused) {
  ASSERT_OK(save_read_times(path_, {{pack(1), 7}}));
  const std::string whole = testing::read_file(path_);
  for (const std::string& bad : {std::string(), std::string("something else"),
                                 whole.substr(0, whole.size() - 1), whole + "x\n", whole + whole}) {
    testing::write_file(path_, bad);
    EXPECT_THAT(load_read_times(path_), FailsWith(ErrorKind::kCorrupt)) << bad;
  }
}

TEST(ReadAges, AreThoseOfThePacksThereAre) {
  const ReadAges ages =
      ages_of({pack(1), pack(2), pack(3)}, {{pack(1), 50}, {pack(3), 40}, {pack(9), 1}});
  EXPECT_EQ(ages.packs, 3U);
  EXPECT_EQ(ages.never_read, 1U);
  EXPECT_EQ(ages.oldest, 40);
  EXPECT_EQ(ages_of({pack(1)}, {}).oldest, std::nullopt);
}

}  // namespace
}  // namespace restree
