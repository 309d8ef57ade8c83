#include "repo/system/xattr_at.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <thread>

#include "repo/base/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;

class XattrAtTest : public ::testing::TestWithParam<XattrWay> {
 protected:
  XattrAtTest() : folder_(::open(dir_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    const UniqueFd file(::openat(folder_.get(), "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_TRUE(file);
    fs::create_symlink("f", dir_.path() / "link");
  }
  std::string value_of(const std::string& name, const char* xattr) const {
    std::string value(100, '\0');
    const ssize_t size =
        XattrsAt(folder_.get(), name, GetParam()).get(xattr, value.data(), value.size());
    if (size < 0) return "errno " + std::to_string(errno);
    value.resize(static_cast<std::size_t>(size));
    return value;
  }

  testing::TempDir dir_;
  const UniqueFd folder_;
  const std::string file_ = "f";
  const std::string link_ = "link";
};

TEST_P(XattrAtTest, SetsGetsListsAndRemoves) {
  const XattrsAt xattrs(folder_.get(), file_, GetParam());
  ASSERT_EQ(xattrs.set("user.a", "one"), 0);
  ASSERT_EQ(xattrs.set("user.a", "two"), 0);
  EXPECT_EQ(value_of("f", "user.a"), "two");
  std::string names(100, '\0');
  ASSERT_EQ(xattrs.list(names.data(), names.size()), 7);
  EXPECT_STREQ(names.c_str(), "user.a");
  ASSERT_EQ(xattrs.remove("user.a"), 0);
  EXPECT_EQ(value_of("f", "user.a"), "errno " + std::to_string(ENODATA));
}

TEST_P(XattrAtTest, GivesTheErrorsOfTheCalls) {
  const XattrsAt xattrs(folder_.get(), file_, GetParam());
  ASSERT_EQ(xattrs.set("user.long", std::string(200, 'x')), 0);
  EXPECT_EQ(value_of("f", "user.long"), "errno " + std::to_string(ERANGE));
  EXPECT_EQ(value_of("nothing", "user.a"), "errno " + std::to_string(ENOENT));
}

TEST_P(XattrAtTest, OfALinkTheLinkIsMeant) {
  ASSERT_EQ(::setxattr((dir_.path() / "f").c_str(), "trusted.a", "file's", 6, 0), 0);
  EXPECT_EQ(value_of("link", "trusted.a"), "errno " + std::to_string(ENODATA));
  ASSERT_EQ(XattrsAt(folder_.get(), link_, GetParam()).set("trusted.a", "link's"), 0);
  EXPECT_EQ(value_of("link", "trusted.a"), "link's");
  EXPECT_EQ(value_of("f", "trusted.a"), "file's");
}

TEST_P(XattrAtTest, TheWorkingFolderIsTheSameAfterwards) {
  const fs::path before = fs::current_path();
  std::thread([&] {
    value_of("f", "user.a");
    EXPECT_EQ(fs::current_path(), before);
  }).join();
  EXPECT_EQ(fs::current_path(), before);
}

INSTANTIATE_TEST_SUITE_P(Ways, XattrAtTest,
                         ::testing::Values(XattrWay::kSystemCall, XattrWay::kProc,
                                           XattrWay::kWorkingFolder));

}  // namespace
}  // namespace restree
