#include "fs/snapshot_list.h"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/log.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::MemoryRepository;
using testing::soon;
using ::testing::UnorderedElementsAre;
using testing::value_of;

class SnapshotListTest : public ::testing::Test {
 protected:
  std::string add(const std::string& time, const std::vector<std::string>& tags = {}) {
    return memory_.builder().add_snapshot(tree_, {.time = time, .tags = tags});
  }
  void open() {
    memory_.builder().finish();
    repository_ = memory_.open();
    snapshots_ = std::make_unique<SnapshotList>(*repository_, NamespaceOptions());
    ASSERT_OK(snapshots_->load(soon()));
    snapshots_->publish();
  }
  SnapshotList::Changes refresh() {
    EXPECT_OK(snapshots_->load(soon()));
    return snapshots_->publish();
  }
  // The file of a snapshot, by its short id.
  FileName file_of(const std::string& id) {
    for (const auto& listed : value_of(memory_.storage().list(FileType::kSnapshot, soon()))) {
      if (listed.name.starts_with(id)) return {FileType::kSnapshot, listed.name};
    }
    throw std::runtime_error("no snapshot " + id);
  }
  static std::set<std::string> ids(const Namespace& space) {
    std::set<std::string> names;
    const VirtualNode* const folder = space.child(space.root(), "ids");
    for (const auto& [name, inode] : folder->children) {
      if (space.find(inode)->kind == VirtualNode::Kind::kSnapshot) names.insert(name);
    }
    return names;
  }
  std::set<std::string> ids() const { return ids(*snapshots_->newest().space); }

  MemoryRepository memory_{2};
  const BlobId tree_ = memory_.builder().add_tree({});
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<SnapshotList> snapshots_;
};

TEST_F(SnapshotListTest, ShowsTheSnapshotsThereAreAndBeginsWithGenerationZero) {
  const std::string one = add("2026-09-01T03:00:05Z");
  const std::string two = add("2026-09-02T03:00:05Z");
  open();
  EXPECT_THAT(ids(), UnorderedElementsAre(one, two));
  EXPECT_EQ(snapshots_->newest().generation, 0U);
  EXPECT_TRUE(snapshots_->listed());
}

TEST_F(SnapshotListTest, HasANamespaceWithoutAnySnapshot) {
  open();
  EXPECT_EQ(snapshots_->newest().space->root().inode, Namespace::kRootInode);
}

TEST_F(SnapshotListTest, WithoutAChangeTheNamespaceStays) {
  add("2026-09-01T03:00:05Z");
  open();
  const auto before = snapshots_->newest();
  const SnapshotList::Changes changes = refresh();
  EXPECT_THAT(changes.directories, IsEmpty());
  EXPECT_THAT(changes.gone, IsEmpty());
  EXPECT_EQ(snapshots_->newest().space, before.space);
  EXPECT_EQ(snapshots_->newest().generation, 0U);
}

TEST_F(SnapshotListTest, ShowsNewSnapshotsOnceTheyArePublished) {
  const std::string one = add("2026-09-01T03:00:05Z");
  open();
  const std::string two = add("2026-09-02T03:00:05Z");
  ASSERT_OK(snapshots_->load(soon()));
  EXPECT_THAT(ids(), ElementsAre(one));
  const SnapshotList::Changes changes = snapshots_->publish();
  EXPECT_THAT(ids(), UnorderedElementsAre(one, two));
  EXPECT_EQ(snapshots_->newest().generation, 1U);
  EXPECT_THAT(changes.directories, Contains(Namespace::kRootInode));
}

TEST_F(SnapshotListTest, NamesWhatIsGone) {
  const std::string one = add("2026-09-01T03:00:05Z");
  const std::string two = add("2026-09-02T03:00:05Z");
  open();
  const auto before = snapshots_->newest().space;
  const std::uint64_t folder = before->child(before->root(), "ids")->inode;
  memory_.remove(file_of(one));
  std::set<std::string> gone;
  for (const auto& name : refresh().gone) {
    if (name.directory == folder) gone.insert(name.name);
  }
  EXPECT_THAT(gone, Contains(one));
  EXPECT_THAT(ids(), ElementsAre(two));
  EXPECT_THAT(ids(*before), UnorderedElementsAre(one, two)) << "handed out: it never changes";
}

TEST_F(SnapshotListTest, KeepsTheLastNamespacesByTheirGeneration) {
  open();
  const auto first = snapshots_->newest().space;
  for (std::uint32_t change = 1; change < SnapshotList::kKeptNamespaces; ++change) {
    add("2026-09-0" + std::to_string(change) + "T03:00:05Z");
    refresh();
    EXPECT_EQ(snapshots_->newest().generation, change);
    EXPECT_EQ(snapshots_->of_generation(0).space, first);
    EXPECT_EQ(snapshots_->of_generation(0).generation, 0U);
  }
  add("2026-10-01T03:00:05Z");
  refresh();
  EXPECT_EQ(snapshots_->of_generation(0).space, snapshots_->newest().space);
  EXPECT_EQ(snapshots_->of_generation(0).generation, snapshots_->newest().generation);
  EXPECT_EQ(snapshots_->of_generation(77).space, snapshots_->newest().space);
}

TEST_F(SnapshotListTest, LeavesOutAndLogsOnceASnapshotThatCannotBeRead) {
  const testing::TempDir dir;
  const std::string log_file = (dir.path() / "log").string();
  ASSERT_OK(log::open_file(log_file));
  const std::string one = add("2026-09-01T03:00:05Z");
  const std::string two = add("2026-09-02T03:00:05Z");
  const FileName damaged = file_of(two);
  const Bytes whole = value_of(memory_.storage().read_all(damaged, soon()));
  memory_.truncate(damaged);
  open();
  EXPECT_THAT(ids(), ElementsAre(one));
  const std::string lines = testing::read_file(log_file);
  EXPECT_THAT(lines, ::testing::HasSubstr("snapshot " + damaged.name + " is not shown: "));
  refresh();
  EXPECT_EQ(testing::read_file(log_file), lines);

  // The rest of the file has come.
  ASSERT_OK(memory_.storage().write(damaged, whole.view(), soon()));
  refresh();
  EXPECT_THAT(ids(), UnorderedElementsAre(one, two));
}

TEST_F(SnapshotListTest, AStorageThatIsAwayTakesNothingBack) {
  const std::string one = add("2026-09-01T03:00:05Z");
  open();
  const std::string two = add("2026-09-02T03:00:05Z");
  memory_.storage().watch([](const FileName& file) -> Status {
    if (file.name.empty()) return {};
    return Error(ErrorKind::kUnavailable, "nobody there");
  });
  EXPECT_THAT(snapshots_->load(soon()), FailsWith(ErrorKind::kUnavailable));
  snapshots_->publish();
  EXPECT_THAT(ids(), ElementsAre(one));
  memory_.storage().watch({});
  refresh();
  EXPECT_THAT(ids(), UnorderedElementsAre(one, two));
}

TEST_F(SnapshotListTest, LatestLeadsToASnapshotOfTheFutureOnceItsDateHasCome) {
  add("2026-09-01T03:00:05Z");
  open();
  const auto latest = [&] {
    const Namespace& space = *snapshots_->newest().space;
    return space.child(*space.child(space.root(), "snapshots"), "latest")->target;
  };
  add("2030-09-01T03:00:05Z");
  ASSERT_OK(snapshots_->load(soon()));
  snapshots_->publish(*parse_timestamp("2026-10-01T00:00:00Z"));
  EXPECT_EQ(latest(), "2026-09-01T03-00-05Z");
  EXPECT_TRUE(snapshots_->publish(*parse_timestamp("2026-10-01T00:00:30Z")).gone.empty());
  EXPECT_FALSE(snapshots_->publish(*parse_timestamp("2030-10-01T00:00:00Z")).gone.empty());
  EXPECT_EQ(latest(), "2030-09-01T03-00-05Z");
}

}  // namespace
}  // namespace restree
