#include "repo/storage/private_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <iterator>
#include <string>

#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using testing::FailsWith;
using testing::value_of;

class PrivateFile : public ::testing::Test {
 protected:
  static mode_t mode_of(const fs::path& path) {
    struct stat attributes {};
    EXPECT_EQ(::lstat(path.c_str(), &attributes), 0) << path;
    return attributes.st_mode & 07777;
  }

  testing::TempDir dir_;
  const fs::path folder_ = dir_.path() / "state" / "restree";
  const std::string path_ = (folder_ / "file").string();
};

TEST_F(PrivateFile, IsReadByItsOwnerOnlyAndSoAreItsFolders) {
  ASSERT_OK(write_private_file(path_, as_bytes(std::string("content"))));
  EXPECT_EQ(value_of(read_private_file(path_, 100)), "content");
  EXPECT_EQ(mode_of(path_), 0600U);
  EXPECT_EQ(mode_of(folder_), 0700U);
  EXPECT_EQ(mode_of(folder_.parent_path()), 0700U);
}

TEST_F(PrivateFile, IsReplacedAsAWhole) {
  ASSERT_OK(write_private_file(path_, as_bytes(std::string("a longer content"))));
  ASSERT_OK(write_private_file(path_, as_bytes(std::string("short"))));
  EXPECT_EQ(value_of(read_private_file(path_, 100)), "short");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(PrivateFile, OneThatIsGoneIsNotFoundAndCanBeRemoved) {
  EXPECT_THAT(read_private_file(path_, 100), FailsWith(ErrorKind::kNotFound));
  EXPECT_OK(remove_private_file(path_));
  ASSERT_OK(write_private_file(path_, as_bytes(std::string("x"))));
  EXPECT_OK(remove_private_file(path_));
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(PrivateFile, WhatCannotBeOneIsNotRead) {
  ASSERT_OK(write_private_file(path_, as_bytes(std::string("content"))));
  EXPECT_THAT(read_private_file(path_, 6), FailsWith(ErrorKind::kCorrupt)) << "too large";
  const std::string link = (folder_ / "link").string();
  fs::create_symlink(path_, link);
  EXPECT_FALSE(read_private_file(link, 100));
  const std::string fifo = (folder_ / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(read_private_file(fifo, 100), FailsWith(ErrorKind::kCorrupt)) << "and does not wait";
}

}  // namespace
}  // namespace restree
