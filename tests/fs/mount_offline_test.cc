// A mount whose repository was opened from the cache.
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "fs/mount.h"
#include "tests/support/memory_cache.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::file_node;
using ::testing::HasSubstr;
using testing::kPassword;
using testing::MemoryCache;
using testing::MemoryRepository;
using testing::soon;
using testing::value_of;

class MountOffline : public ::testing::Test {
 protected:
  // A mount has read `near` while the storage was there, and not `far`.
  MountOffline() {
    auto& builder = memory_.builder();
    snapshot_ = builder.add_snapshot(
        builder.add_tree({file_node("far", {builder.add_data("1"), builder.add_data("2")}, 2),
                          file_node("near", {builder.add_data("content")}, 7)}));
    builder.finish();
    repository_ = value_of(memory_.try_open());
    repository_->use_cache(cache_);
    mount_ = value_of(Mount::open(*repository_, {}));
    EXPECT_EQ(value_of(read("near")), "content");
    mount_.reset();
    memory_.storage().watch([this](const FileName&) -> Status {
      if (!off_) return {};
      return Error(ErrorKind::kUnavailable, "the line is down");
    });
    const std::shared_ptr<Storage> storage(&memory_.storage(), [](Storage*) {});
    repository_ =
        value_of(Repository::open_cached(storage, cache_, Secret(std::string(kPassword)), ""));
    mount_ = value_of(Mount::open(*repository_, {}));
  }

  std::uint64_t inode_of(const std::vector<std::string>& path) {
    std::uint64_t inode = Namespace::kRootInode;
    for (const auto& name : path) inode = value_of(mount_->lookup(inode, name)).value().inode;
    return inode;
  }
  Result<std::string> read(const std::string& name, std::uint64_t offset = 0) {
    const auto inode = inode_of({"ids", snapshot_, name});
    ASSIGN_OR_RETURN(const Mount::Slices slices, mount_->read(inode, offset, 1));
    ASSIGN_OR_RETURN(const Mount::Slices rest, mount_->read(inode, offset + 1, 4096));
    std::string bytes;
    for (const ByteView view : slices.views) bytes += as_text(view);
    for (const ByteView view : rest.views) bytes += as_text(view);
    return bytes;
  }

  std::atomic<bool> off_ = true;
  MemoryRepository memory_{2};
  std::shared_ptr<MemoryCache> cache_ = std::make_shared<MemoryCache>();
  std::string snapshot_;
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<Mount> mount_;
};

TEST_F(MountOffline, ServesFilesThatWereReadBefore) {
  EXPECT_EQ(value_of(read("near")), "content");
}

TEST_F(MountOffline, SaysOnceOfAFileThatItIsOutOfReach) {
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(read("far"), FailsWith(ErrorKind::kUnavailable));
    EXPECT_THAT(read("far", 1), FailsWith(ErrorKind::kUnavailable));
  }
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  EXPECT_THAT(log, HasSubstr("/far"));
  EXPECT_THAT(log, HasSubstr("the line is down"));
  EXPECT_EQ(mount_->status().errors, 4U);
}

TEST_F(MountOffline, GoesOnlineWhenItLooksAgain) {
  EXPECT_THAT(mount_->refresh(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(mount_->status().listed, std::nullopt);
  off_ = false;
  const std::string fresh = memory_.builder().add_snapshot(memory_.builder().add_tree({}));
  memory_.builder().finish();
  EXPECT_FALSE(value_of(mount_->refresh()).directories.empty());
  EXPECT_NE(mount_->status().listed, std::nullopt);
  EXPECT_TRUE(value_of(mount_->lookup(inode_of({"ids"}), fresh)));
  EXPECT_EQ(value_of(read("far")), "12");
}

TEST_F(MountOffline, KeepsItsSnapshotsWhenTheStorageGoesAgain) {
  off_ = false;
  value_of(mount_->refresh());
  off_ = true;
  EXPECT_THAT(mount_->refresh(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(value_of(read("near")), "content");
}

}  // namespace
}  // namespace restree
