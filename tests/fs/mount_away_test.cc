// A mount whose repository goes away: its disk is unmounted, or another one mounted in its place.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fs/mount.h"
#include "fs/restreefs/status_sources.h"
#include "repo/storage/decorators/breaker_storage.h"
#include "tests/support/memory_cache.h"
#include "tests/support/memory_repository.h"
#include "tests/support/movable_disk.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using testing::FailsWith;
using testing::file_node;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kPassword;
using testing::MemoryCache;
using testing::MovableDisk;
using testing::RepositoryBuilder;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;
using testing::WatchedStorage;

class MountAway : public ::testing::Test {
 protected:
  MountAway() {
    snapshot_ = builder_.add_snapshot(
        builder_.add_tree({file_node("a", {builder_.add_data("1"), builder_.add_data("2")}, 2),
                           file_node("b", {builder_.add_data("content")}, 7)}),
        {.tags = {"app=web"}});
    builder_.finish();
    open();
  }
  void open(std::shared_ptr<MemoryCache> cache = nullptr) {
    mount_.reset();
    storage_ =
        std::make_shared<BreakerStorage>(watched_, BreakerTiming{.between_probes = {1ms, 1, 1ms}});
    repository_ = value_of(Repository::open(storage_, Secret(std::string(kPassword)), "", soon()));
    if (cache) repository_->use_cache(std::move(cache));
    MountOptions options;
    options.more_status = status_of(
        {.storage = storage_, .cache = {}, .fetcher = {}, .connections = {}, .warmed = {}});
    mount_ = value_of(Mount::open(*repository_, std::move(options)));
  }

  std::uint64_t inode_of(const std::vector<std::string>& path) {
    std::uint64_t inode = Namespace::kRootInode;
    for (const auto& name : path) inode = value_of(mount_->lookup(inode, name)).value().inode;
    return inode;
  }
  bool shows(const std::vector<std::string>& path) {
    std::uint64_t inode = Namespace::kRootInode;
    for (const auto& name : path) {
      const auto found = value_of(mount_->lookup(inode, name));
      if (!found) return false;
      inode = found->inode;
    }
    return true;
  }
  Result<std::string> read(const std::string& name) {
    ASSIGN_OR_RETURN(const Mount::Slices slices,
                     mount_->read(inode_of({"ids", snapshot_, name}), 0, 4096));
    std::string bytes;
    for (const ByteView view : slices.views) bytes += as_text(view);
    return bytes;
  }
  // A failure is remembered for a moment.
  Result<std::string> read_in_time(const std::string& name) {
    const Deadline by = soon();
    for (;;) {
      auto content = read(name);
      if (content || by.expired()) return content;
      std::this_thread::yield();
    }
  }
  bool is_online() const { return mount_->status().online; }
  void wait_until_online() const {
    while (!is_online()) std::this_thread::yield();
  }

  std::shared_ptr<MemoryStorage> disk_ = std::make_shared<MemoryStorage>();
  RepositoryBuilder builder_{disk_, 2};
  std::shared_ptr<MovableDisk> place_ = std::make_shared<MovableDisk>(disk_);
  std::shared_ptr<WatchedStorage> watched_ = std::make_shared<WatchedStorage>(place_);
  std::string snapshot_;
  std::shared_ptr<BreakerStorage> storage_;
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<Mount> mount_;
};

TEST_F(MountAway, ShowsTheKnownSnapshotsAndSaysThatItIsOffline) {
  EXPECT_EQ(value_of(read("a")), "12");
  place_->unmount();
  EXPECT_THAT(mount_->refresh(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_TRUE(shows({"apps", "web", "latest"}));
  EXPECT_TRUE(shows({"ids", snapshot_, "a"}));
  EXPECT_EQ(value_of(read("a")), "12") << "not from memory";
  const auto failed = read("b");
  ASSERT_THAT(failed, FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(failed.error().message(), HasSubstr("no config file (is its disk mounted?)"));
  EXPECT_FALSE(is_online());
}

TEST_F(MountAway, IsOnlineAgainByItselfWithAllThatCameMeanwhile) {
  place_->unmount();
  EXPECT_THAT(mount_->refresh(), FailsWith(ErrorKind::kUnavailable));
  const std::string fresh = builder_.add_snapshot(builder_.add_tree({}));
  builder_.finish();
  place_->mount(disk_);
  wait_until_online();
  EXPECT_FALSE(value_of(mount_->refresh()).directories.empty());
  EXPECT_TRUE(shows({"ids", fresh}));
  EXPECT_EQ(value_of(read("b")), "content");
}

// The read finds no pack, and looks whether a prune has moved it: that must not find "no index".
TEST_F(MountAway, AReadInABlinkLeavesTheIndexAsItWas) {
  EXPECT_EQ(value_of(read("a")), "12");
  const std::size_t blobs = repository_->index_figures().blobs;
  place_->unmount();
  EXPECT_THAT(read("b"), FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(repository_->index_figures().blobs, blobs);
  place_->mount(disk_);
  wait_until_online();
  EXPECT_EQ(value_of(read_in_time("b")), "content");
}

TEST_F(MountAway, ABlinkThatIsOverWhenTheConfigIsReadIsNotNoticed) {
  EXPECT_EQ(value_of(read("a")), "12");
  watched_->watch([this](const FileName& file) -> Status {
    if (file.type == FileType::kConfig) place_->mount(disk_);
    return {};
  });
  place_->unmount();
  EXPECT_EQ(value_of(read("b")), "content");
  place_->unmount();
  EXPECT_THAT(value_of(mount_->refresh()).gone, IsEmpty());
  EXPECT_TRUE(shows({"apps", "web", "latest"}));
  EXPECT_TRUE(is_online());
}

TEST_F(MountAway, AnotherRepositoryInItsPlaceIsNotShown) {
  const auto other = std::make_shared<MemoryStorage>();
  RepositoryBuilder others(other, 1);
  others.add_snapshot(others.add_tree({}));
  others.finish();
  EXPECT_EQ(value_of(read("a")), "12");
  place_->mount(other);
  EXPECT_THAT(mount_->refresh(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_TRUE(shows({"apps", "web", "latest"}));
  const auto failed = read("b");
  ASSERT_THAT(failed, FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(failed.error().message(), HasSubstr("another repository lies there now"));
}

TEST_F(MountAway, ItsCacheKeepsEverything) {
  const auto cache = std::make_shared<MemoryCache>();
  open(cache);
  const auto before = cache->content();
  EXPECT_THAT(before.snapshots, SizeIs(1));
  place_->unmount();
  EXPECT_THAT(mount_->refresh(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(repository_->refresh_index(soon()), FailsWith(ErrorKind::kUnavailable));
  const auto after = cache->content();
  EXPECT_EQ(after.snapshots, before.snapshots);
  EXPECT_EQ(after.indexes, before.indexes);
  EXPECT_EQ(after.packs, before.packs);
}

TEST_F(MountAway, TheLastSnapshotOfARepositoryThatIsThereMayGo) {
  for (const ListedFile& file : value_of(disk_->list(FileType::kSnapshot, soon()))) {
    EXPECT_OK(disk_->remove({FileType::kSnapshot, file.name}, soon()));
  }
  EXPECT_FALSE(value_of(mount_->refresh()).gone.empty());
  EXPECT_FALSE(shows({"apps", "web"}));
  EXPECT_TRUE(is_online());
}

}  // namespace
}  // namespace restree
