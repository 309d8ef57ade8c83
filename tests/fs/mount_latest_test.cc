// The `latest` links of a mount: one snapshot for a process, whatever comes meanwhile.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fs/mount.h"
#include "tests/fs/mount_fixture.h"
#include "tests/support/fake_processes.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::file_node;
using testing::RefreshedMount;
using testing::value_of;

constexpr const char* kFirstTime = "2026-09-01T03-00-05Z";
constexpr const char* kSecondTime = "2026-09-02T03-00-05Z";

// Processes 10 and 20, and a mount with one snapshot.
class LatestOfMount : public RefreshedMount {
 protected:
  LatestOfMount() {
    MountOptions options;
    options.processes = processes_;
    open(std::move(options));
    processes_->begin(10);
    processes_->begin(20);
  }

  // A link as a thread finds it.
  Result<Mount::Found> find(const std::vector<std::string>& view, pid_t thread) {
    ASSIGN_OR_RETURN(const auto found, mount_->lookup(lookup(view).inode, "latest", thread));
    if (!found) return Error(ErrorKind::kInvalid, "no such name");
    return *found;
  }
  // Where the link leads a thread.
  std::string follow(const std::vector<std::string>& view, pid_t thread) {
    return value_of(mount_->link_target(value_of(find(view, thread)).inode));
  }
  void add_second() {
    add("2026-09-02T03:00:05Z");
    EXPECT_OK(mount_->refresh());
  }

  const std::shared_ptr<testing::FakeProcesses> processes_ =
      std::make_shared<testing::FakeProcesses>();
};

TEST_F(LatestOfMount, IsOneSnapshotForAProcessInEveryView) {
  retag(snapshot_, {"t", "app=a"});
  EXPECT_OK(mount_->refresh());
  const std::vector<std::vector<std::string>> views{
      {"apps", "a"}, {"hosts", "host"}, {"snapshots"}, {"tags", "t"}};
  for (const auto& view : views) EXPECT_EQ(follow(view, 10), kFirstTime);
  memory_.builder().add_snapshot(memory_.builder().add_tree({file_node("f", {data("second")}, 6)}),
                                 {.time = "2026-09-02T03:00:05Z", .tags = {"t", "app=a"}});
  memory_.builder().finish();
  EXPECT_OK(mount_->refresh());
  for (const auto& view : views) {
    EXPECT_EQ(follow(view, 10), kFirstTime) << view.back();
    EXPECT_EQ(follow(view, 20), kSecondTime) << view.back();
    EXPECT_EQ(follow(view, 0), kSecondTime) << view.back();
  }
}

TEST_F(LatestOfMount, IsOneSnapshotForAllThreadsOfAProcess) {
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  add_second();
  processes_->begin_thread(11, 10);
  EXPECT_EQ(follow({"snapshots"}, 11), kFirstTime);
}

TEST_F(LatestOfMount, IsTheNewestForANumberThatIsUsedAgain) {
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  add_second();
  processes_->end(10);
  processes_->begin(10);
  EXPECT_EQ(follow({"snapshots"}, 10), kSecondTime);
}

TEST_F(LatestOfMount, MustBeAskedForByEveryProcess) {
  EXPECT_TRUE(value_of(find({"snapshots"}, 10)).by_process);
  EXPECT_TRUE(value_of(find({"snapshots"}, 0)).by_process);
  EXPECT_FALSE(lookup({"snapshots", kFirstTime}).by_process);
  EXPECT_FALSE(lookup({"snapshots"}).by_process);
  EXPECT_FALSE(in_snapshot("f").by_process);
}

TEST_F(LatestOfMount, MayBeKeptForAMomentWhereOneProcessAsksOften) {
  EXPECT_EQ(value_of(find({"snapshots"}, 10)).shared_for.count(), 0);
  std::chrono::seconds longest{0};
  for (int i = 0; i < 10'000 && longest.count() == 0; ++i) {
    longest = value_of(find({"snapshots"}, 10)).shared_for;
  }
  EXPECT_EQ(longest, FollowedLinks::kShared);
  add_second();
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  EXPECT_EQ(follow({"snapshots"}, 20), kFirstTime) << "it may have got it from the kernel";
  processes_->begin(30);
  EXPECT_EQ(follow({"snapshots"}, 30), kSecondTime);
}

TEST_F(LatestOfMount, HasTheSizeAndTimeOfTheLinkThatAProcessReads) {
  follow({"snapshots"}, 10);
  add("2026-09-01T03:00:05.5Z");  // named like the first, with a number behind it
  EXPECT_OK(mount_->refresh());
  const Mount::Found mine = value_of(find({"snapshots"}, 10));
  const Mount::Found newest = value_of(find({"snapshots"}, 20));
  EXPECT_EQ(follow({"snapshots"}, 20), std::string(kFirstTime) + "-1");
  EXPECT_EQ(mine.attributes.st_size, 20);
  EXPECT_EQ(newest.attributes.st_size, 22);
  EXPECT_NE(mine.inode, newest.inode);
  EXPECT_EQ(mine.attributes.st_mtim.tv_nsec, 0);
  EXPECT_EQ(newest.attributes.st_mtim.tv_nsec, 500'000'000);
  EXPECT_EQ(value_of(mount_->attributes(mine.inode)).attributes.st_size, 20);
}

TEST_F(LatestOfMount, ThatTheKernelHoldsCanBeReadWhateverComes) {
  const std::uint64_t inode = value_of(find({"snapshots"}, 10)).inode;
  for (int day = 10; day < 20; ++day) {
    add("2026-09-" + std::to_string(day) + "T03:00:05Z");
    EXPECT_OK(mount_->refresh());
    EXPECT_EQ(value_of(mount_->link_target(inode)), kFirstTime);
    EXPECT_OK(mount_->attributes(inode));
  }
  mount_->forget(inode, 1);
  EXPECT_THAT(mount_->link_target(inode), FailsWith(ErrorKind::kNotFound));
}

TEST_F(LatestOfMount, FollowsASnapshotWhoseTagsChange) {
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  add_second();
  retag(snapshot_, {"kept"});
  EXPECT_OK(mount_->refresh());
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
}

TEST_F(LatestOfMount, FollowsASnapshotWhoseNameChanges) {
  const std::string second = add("2026-09-01T03:00:05.5Z");
  EXPECT_OK(mount_->refresh());
  const std::string before = std::string(kFirstTime) + "-1";
  EXPECT_EQ(follow({"snapshots"}, 10), before);
  const std::uint64_t followed = lookup({"snapshots", before}).inode;
  // The third takes over the second's name when the first goes.
  add("2026-09-01T03:00:05.7Z");
  forget(snapshot_);
  EXPECT_OK(mount_->refresh());
  EXPECT_EQ(follow({"snapshots"}, 20), before);
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  EXPECT_EQ(lookup({"snapshots", kFirstTime}).inode, followed);
}

TEST_F(LatestOfMount, NamesASnapshotThatWasForgottenMeanwhile) {
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  add_second();
  forget(snapshot_);
  EXPECT_OK(mount_->refresh());
  EXPECT_EQ(follow({"snapshots"}, 10), kFirstTime);
  EXPECT_FALSE(value_of(try_lookup({"snapshots", kFirstTime})).has_value());
  EXPECT_EQ(follow({"snapshots"}, 20), kSecondTime);
}

TEST_F(LatestOfMount, NeverLeadsIntoAnotherSnapshotThatHasTakenTheName) {
  const std::string second = add("2026-09-01T03:00:05.5Z");
  EXPECT_OK(mount_->refresh());
  EXPECT_EQ(follow({"snapshots"}, 10), std::string(kFirstTime) + "-1");
  add("2026-09-01T03:00:05.7Z");
  forget(second);
  EXPECT_OK(mount_->refresh());
  EXPECT_THAT(find({"snapshots"}, 10), FailsWith(ErrorKind::kNotFound));
  EXPECT_EQ(follow({"snapshots"}, 20), std::string(kFirstTime) + "-1");
}

TEST_F(LatestOfMount, LeavesNothingBehindOnceTheKernelHasForgotten) {
  const Mount::Found mine = value_of(find({"snapshots"}, 10));
  add_second();
  const Mount::Found newest = value_of(find({"snapshots"}, 20));
  EXPECT_EQ(mount_->known_nodes(), 2U);
  mount_->forget(mine.inode, 1);
  mount_->forget(newest.inode, 1);
  EXPECT_EQ(mount_->known_nodes(), 0U);
}

}  // namespace
}  // namespace restree
