#include "cache/cache_reader.h"

#include <chrono>
#include <filesystem>
#include <string>

#include "repo/crypto/seal.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using testing::value_of;

// A pack of one blob in a cache's folder, at offset 0.
class CacheReaderTest : public ::testing::Test {
 protected:
  CacheReaderTest() { write('s'); }

  void write(char content) {
    fs::create_directories(path().parent_path());
    testing::write_file(path(), std::string(kLength, content));
  }
  fs::path path() const { return fs::path(folder_.path()) / cache_path(place_); }
  // How many files of the cache this process holds open although they are gone.
  std::size_t held() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      const std::string target = fs::read_symlink(entry.path(), gone).string();
      if (target.starts_with(folder_.path()) && target.ends_with(" (deleted)")) ++count;
    }
    return count;
  }

  static constexpr std::uint64_t kLength = 100;
  const SealedPlace place_{
      .pack = *PackId::parse(std::string(64, '7')), .type = BlobType::kData, .range = {0, kLength}};
  testing::TempDir dir_;
  CacheFolder folder_ =
      value_of(CacheFolder::open((dir_.path() / "restree").string(), std::string(64, 'a')));
  Deadline::Clock::time_point now_ = Deadline::Clock::now();
  CacheReader reader_{folder_, [this] { return now_; }};
};

TEST_F(CacheReaderTest, GivesWhatIsThere) {
  EXPECT_TRUE(reader_.has(place_));
  EXPECT_EQ(as_text(value_of(reader_.read(place_))), std::string(kLength, 's'));
}

TEST_F(CacheReaderTest, ZerosAtAnEndAreAHole) {
  std::string content(kLength, 's');
  content.replace(kLength - kSealMacBytes, kSealMacBytes, kSealMacBytes, '\0');
  testing::write_file(path(), content);
  EXPECT_FALSE(reader_.has(place_));
  EXPECT_FALSE(reader_.read(place_));
  content = std::string(kLength, 's').replace(0, kSealIvBytes, kSealIvBytes, '\0');
  testing::write_file(path(), content);
  EXPECT_FALSE(reader_.read(place_));
}

TEST_F(CacheReaderTest, WhatIsCutOffIsNotThere) {
  EXPECT_TRUE(reader_.read(place_));
  fs::resize_file(path(), kLength - 1);
  EXPECT_FALSE(reader_.has(place_));
  EXPECT_FALSE(reader_.read(place_));
}

TEST_F(CacheReaderTest, HoldsNothingThatIsGoneOnceItWasToldToClose) {
  ASSERT_TRUE(reader_.read(place_));
  fs::remove(path());
  EXPECT_EQ(held(), 1U);
  reader_.close_all();
  EXPECT_EQ(held(), 0U);
  EXPECT_FALSE(reader_.read(place_));
}

TEST_F(CacheReaderTest, SeesAnotherFileAfterAMoment) {
  ASSERT_TRUE(reader_.read(place_));
  fs::remove(path());
  write('t');
  now_ += CacheReader::kHowLong - std::chrono::nanoseconds(1);
  EXPECT_EQ(as_text(value_of(reader_.read(place_))), std::string(kLength, 's')) << "open still";
  now_ += std::chrono::nanoseconds(1);
  EXPECT_EQ(as_text(value_of(reader_.read(place_))), std::string(kLength, 't'));
  EXPECT_EQ(held(), 0U);
}

TEST_F(CacheReaderTest, HoldsFewOpen) {
  SealedPlace place = place_;
  for (int i = 0; i < 20; ++i) {
    place.pack.bytes[0] = static_cast<std::byte>(i);
    testing::write_file(fs::path(folder_.path()) / cache_path(place), std::string(kLength, 's'));
    ASSERT_TRUE(reader_.read(place));
  }
  fs::remove_all(path().parent_path());
  EXPECT_EQ(held(), CacheReader::kMostOpen);
}

}  // namespace
}  // namespace restree
