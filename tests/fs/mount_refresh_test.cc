// A mount whose snapshots change: what it shows then, and what of the old goes on being served.
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fs/mount.h"
#include "tests/fs/mount_fixture.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::Entries;
using testing::FailsWith;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::RefreshedMount;
using testing::value_of;

TEST_F(RefreshedMount, ShowsNewSnapshotsAndForgetsRemovedOnes) {
  const std::string fresh = add("2026-09-02T03:00:05Z");
  EXPECT_THAT(names({"ids"}), Not(Contains(fresh)));
  EXPECT_OK(mount_->refresh());
  EXPECT_THAT(names({"ids"}), Contains(fresh));
  EXPECT_EQ(value_of(read(lookup({"ids", fresh, "f"}).inode)), "2026-09-02T03:00:05Z");
  forget(snapshot_);
  EXPECT_OK(mount_->refresh());
  EXPECT_THAT(names({"ids"}), ElementsAre(".", "..", fresh));
}

TEST_F(RefreshedMount, TellsTheKernelWhatToForget) {
  const std::uint64_t snapshots = lookup({"snapshots"}).inode;
  EXPECT_THAT(value_of(mount_->refresh()).directories, IsEmpty());
  add("2026-09-02T03:00:05Z");
  const Mount::Changes changes = value_of(mount_->refresh());
  EXPECT_THAT(changes.directories, Contains(snapshots));
  std::set<std::pair<std::uint64_t, std::string>> gone;
  for (const auto& name : changes.gone) gone.emplace(name.directory, name.name);
  EXPECT_THAT(gone, Contains(std::pair(snapshots, std::string("latest"))));
  EXPECT_THAT(gone, Not(Contains(std::pair(snapshots, std::string("2026-09-01T03-00-05Z")))));
}

TEST_F(RefreshedMount, ShowsANewSnapshotAlsoIfTheFirstTryFailed) {
  const std::string fresh = add("2026-09-02T03:00:05Z");
  fail_once(FileType::kIndex);
  EXPECT_THAT(mount_->refresh(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_OK(mount_->refresh());
  EXPECT_THAT(names({"ids"}), Contains(fresh));
}

TEST_F(RefreshedMount, ForgetsASnapshotAlsoIfTheFirstTryFailed) {
  forget(snapshot_);
  fail_once(FileType::kIndex);
  EXPECT_THAT(mount_->refresh(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_OK(mount_->refresh());
  EXPECT_THAT(names({"ids"}), ElementsAre(".", ".."));
}

TEST_F(RefreshedMount, GoesOnWithAListingInTheNamespaceItBeganIn) {
  for (int i = 2; i < 9; ++i) add("2026-09-0" + std::to_string(i) + "T00:00:00Z");
  EXPECT_OK(mount_->refresh());
  const std::uint64_t directory = lookup({"snapshots"}).inode;
  const auto before = names(directory);
  Entries first(4);
  ASSERT_OK(mount_->list(directory, 0, false, first));
  forget(snapshot_);
  add("2026-01-01T00:00:00Z");
  EXPECT_OK(mount_->refresh());
  Entries rest;
  ASSERT_OK(mount_->list(directory, first.next, false, rest));
  first.names.insert(first.names.end(), rest.names.begin(), rest.names.end());
  EXPECT_EQ(first.names, before);
  EXPECT_NE(names(directory), before);
}

TEST_F(RefreshedMount, KeepsServingFilesOfAForgottenSnapshotWhileTheyAreOpen) {
  const std::uint64_t file = in_snapshot("f").inode;
  forget(snapshot_);
  EXPECT_OK(mount_->refresh());
  EXPECT_EQ(value_of(read(file)), "content");
}

TEST_F(RefreshedMount, GoesOnBelowTheOpenRootOfAForgottenSnapshot) {
  const std::uint64_t root = top();
  forget(snapshot_);
  EXPECT_OK(mount_->refresh());
  EXPECT_THAT(names({"ids"}), ElementsAre(".", ".."));
  EXPECT_THAT(names(root), ElementsAre(".", "..", "f"));
  EXPECT_OK(mount_->attributes(root));
  EXPECT_TRUE(mount_->lasting_absence(root));
  const auto file = value_of(mount_->lookup(root, "f"));
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(value_of(read(file->inode)), "content");
  mount_->forget(root, 1);
  EXPECT_THAT(mount_->attributes(root), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(mount_->lookup(root, "f"), FailsWith(ErrorKind::kNotFound));
  EXPECT_EQ(value_of(read(file->inode)), "content");
}

TEST_F(RefreshedMount, KeepsTheInodesOfASnapshotWhoseTagsChange) {
  const std::vector<std::string> path{"snapshots", "2026-09-01T03-00-05Z", "f"};
  const std::uint64_t before = lookup(path).inode;
  retag(snapshot_, {"kept"});
  const Mount::Changes changes = value_of(mount_->refresh());
  EXPECT_EQ(lookup(path).inode, before);
  EXPECT_THAT(names({"tags"}), Contains("kept"));
  const std::uint64_t directory = lookup({"snapshots"}).inode;
  for (const auto& name : changes.gone) EXPECT_NE(name.directory, directory) << name.name;
}

TEST_F(RefreshedMount, ServesEightReadersMeanwhile) {
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < 8; ++reader) {
    readers.emplace_back([&, reader] {
      for (int i = reader; !done; ++i) {
        const auto found = lookup({"ids", snapshot_, "f"});
        EXPECT_EQ(value_of(read(found.inode, static_cast<std::uint64_t>(i % 7), 1)),
                  std::string(1, "content"[i % 7]));
        EXPECT_OK(mount_->attributes(found.inode));
        Entries entries(3);
        EXPECT_OK(mount_->list(lookup({"snapshots"}).inode, 0, true, entries));
        static_cast<void>(mount_->figures());
        mount_->forget(found.inode, 1);
      }
    });
  }
  for (int i = 10; i < 30; ++i) {
    const std::string fresh = add("2026-08-" + std::to_string(i) + "T00:00:00Z");
    EXPECT_OK(mount_->refresh());
    if (i % 2 == 0) forget(fresh);
  }
  done = true;
  readers.clear();
  EXPECT_EQ(mount_->known_inodes(), 0U);
}

}  // namespace
}  // namespace restree
