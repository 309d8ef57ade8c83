#include "fs/restreefs/mount_point.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <string>

#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace files = std::filesystem;
using testing::FailsWith;
using testing::TempDir;
using testing::value_of;
using testing::write_file;

class MountPoint : public ::testing::Test {
 protected:
  std::string folder(const std::string& name) {
    const files::path path = files::canonical(dir_.path()) / name;
    files::create_directories(path);
    return path.string();
  }
  TempDir dir_;
};

TEST_F(MountPoint, IsAnEmptyDirectoryByItsWholePath) {
  const std::string point = folder("mnt");
  EXPECT_EQ(value_of(prepare_mount_point(point, {})), point);
  EXPECT_EQ(value_of(prepare_mount_point(point + "/../mnt/.", {})), point);
}

TEST_F(MountPoint, MayBeLastChangedAfter2038) {
  const std::string point = folder("mnt");
  const timespec far{.tv_sec = 4'102'444'800, .tv_nsec = 0};
  const std::array<timespec, 2> times = {far, far};
  ASSERT_EQ(::utimensat(AT_FDCWD, point.c_str(), times.data(), 0), 0);
  EXPECT_EQ(value_of(prepare_mount_point(point, {})), point);
}

TEST_F(MountPoint, IsFoundThroughALink) {
  const std::string point = folder("mnt");
  files::create_directory_symlink(point, dir_.path() / "link");
  EXPECT_EQ(value_of(prepare_mount_point((dir_.path() / "link").string(), {})), point);
}

TEST_F(MountPoint, ThatIsNotThereIsRefusedWithAHint) {
  const auto point = prepare_mount_point((dir_.path() / "none").string(), {});
  ASSERT_THAT(point, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(point.error().hint(), ::testing::HasSubstr("mkdir -p"));
}

TEST_F(MountPoint, ThatIsAFileOrNotEmptyIsRefused) {
  const std::string full = folder("full");
  write_file(full + "/file", {});
  EXPECT_THAT(prepare_mount_point(full, {}), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(prepare_mount_point(full + "/file", {}), FailsWith(ErrorKind::kInvalid));
}

TEST_F(MountPoint, AndRepositoryOrCacheMustNotContainEachOther) {
  const std::string outer = folder("outer");
  const std::string inner = folder("outer/inner");
  for (const auto& [point, repository] :
       {std::pair(inner, outer), std::pair(outer, inner), std::pair(inner, inner)}) {
    const auto prepared = prepare_mount_point(point, {{"repository", repository}});
    ASSERT_THAT(prepared, FailsWith(ErrorKind::kInvalid));
    EXPECT_THAT(prepared.error().message(), ::testing::HasSubstr("contain each other"));
    EXPECT_THAT(prepare_mount_point(point, {{"repository", "/none"}, {"cache", repository}}),
                FailsWith(ErrorKind::kInvalid));
  }
}

TEST_F(MountPoint, MayBeginLikeTheRepository) {
  const std::string point = folder("backup-mnt");
  EXPECT_OK(prepare_mount_point(point, {{"repository", folder("backup")}}));
  EXPECT_OK(prepare_mount_point(point, {{"cache", (dir_.path() / "not there").string()}}));
}

}  // namespace
}  // namespace restree
