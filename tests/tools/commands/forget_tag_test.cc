// restree forget, restree tag
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "repo/repository.h"
#include "tests/support/locks.h"
#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Outcome;
using testing::RestreeRunner;
using ::testing::SizeIs;
using testing::soon;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using testing::value_of;

// Two snapshots, of hosts a and b, tagged with their hosts' names.
class ChangingSnapshots : public ::testing::Test {
 protected:
  ChangingSnapshots() {
    const BlobId tree = builder_.add_tree({});
    a_ = builder_.add_snapshot(
        tree, {.time = "2026-09-01T03:00:05.5+02:00", .tags = {"a"}, .hostname = "a"});
    b_ = builder_.add_snapshot(
        tree, {.time = "2026-09-02T03:00:05Z", .tags = {"b", "c", "d"}, .hostname = "b"});
    builder_.finish();
  }
  std::vector<std::string> short_ids() {
    std::vector<std::string> ids;
    for (const auto& file : value_of(storage_->list(FileType::kSnapshot, soon()))) {
      ids.push_back(file.name.substr(0, 8));
    }
    return ids;
  }
  Snapshot snapshot_of(const std::string& host) {
    const Secret password{std::string(testing::kPassword)};
    const auto repository = value_of(Repository::open(storage_, password, "", soon()));
    for (const SnapshotId& id : value_of(repository->list_snapshots(soon()))) {
      Snapshot snapshot = value_of(repository->load_snapshot(id, soon()));
      if (snapshot.hostname == host) return snapshot;
    }
    throw std::runtime_error("no snapshot of host " + host);
  }
  void fail_removals() {
    watched_->watch_removals([](const FileName& file) -> Status {
      if (file.type != FileType::kSnapshot) return {};
      return Error(ErrorKind::kDenied, "read-only");
    });
  }

  // As by `unlock --remove-all`, while the command reads the snapshots.
  void lose_the_lock() {
    watched_->watch([this](const FileName& file) -> Status {
      if (file.type != FileType::kSnapshot) return {};
      for (const std::string& name : testing::lock_names(*storage_)) {
        static_cast<void>(storage_->remove({FileType::kLock, name}, soon()));  // or another reader
      }
      return {};
    });
  }
  std::string put_dead_lock() {
    LockFile dead = own_lock(true);
    dead.pid = testing::number_of_a_dead_process();
    return builder_.add_sealed(FileType::kLock, write_lock_file(dead));
  }

  std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
  std::shared_ptr<testing::WatchedStorage> watched_ =
      std::make_shared<testing::WatchedStorage>(storage_);
  testing::RepositoryBuilder builder_{watched_};
  RestreeRunner runner_{watched_};
  std::string a_;
  std::string b_;
};

using Forget = ChangingSnapshots;

TEST_F(Forget, RemovesTheSnapshotsThatAreNamed) {
  const Outcome outcome = runner_.run({"forget", a_});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_THAT(short_ids(), ElementsAre(b_));
  EXPECT_THAT(testing::lock_names(*storage_), IsEmpty());
}

TEST_F(Forget, PrintsNothingInJson) {
  EXPECT_EQ(runner_.run({"forget", "--json", "latest"}).out, "");
  EXPECT_THAT(short_ids(), ElementsAre(a_));
}

TEST_F(Forget, IgnoresUnknownSnapshots) {
  const Outcome outcome = runner_.run({"forget", "nosuch", b_});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess);
  EXPECT_EQ(outcome.err, "Ignoring \"nosuch\": no matching ID found for prefix \"nosuch\"\n");
  EXPECT_THAT(short_ids(), ElementsAre(a_));
}

TEST_F(Forget, DryRunOnlyPrintsWhichSnapshotsWouldBeRemoved) {
  const Outcome outcome = runner_.run({"forget", "-n", a_, b_});
  EXPECT_THAT(outcome.out, AllOf(StartsWith("Would have removed the following snapshots:\n{"),
                                 HasSubstr(a_), HasSubstr(b_)));
  EXPECT_THAT(short_ids(), SizeIs(2));
}

TEST_F(Forget, ThatCouldNotRemoveAllSaysSoAndEndsWith3) {
  fail_removals();
  const Outcome outcome = runner_.run({"forget", a_});
  EXPECT_EQ(outcome.code, ExitCode::kIncomplete);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("unable to remove snapshot/" + a_),
                                 HasSubstr("failed to remove one or more snapshots")));
  EXPECT_THAT(runner_.run({"forget", "--json", a_}).err,
              HasSubstr(R"({"message_type":"exit_error","code":3,)"));
}

TEST_F(Forget, ThatLosesItsLockRemovesNothing) {
  lose_the_lock();
  const Outcome outcome = runner_.run({"forget", a_, b_});
  EXPECT_EQ(outcome.code, ExitCode::kLocked) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("was removed by others"));
  EXPECT_THAT(short_ids(), SizeIs(2));
}

TEST_F(Forget, SaysQuietlyOrNotThatItTookOverALock) {
  for (const char* option : {"-q", "--json", "-v"}) {
    put_dead_lock();
    const Outcome outcome = runner_.run({"forget", option, "nosuch"});
    EXPECT_THAT(outcome.err, HasSubstr("removed the stale lock of PID")) << option;
    EXPECT_THAT(testing::lock_names(*storage_), IsEmpty());
  }
}

TEST_F(Forget, ThatOnlySaysWhatWouldGoLeavesADeadLock) {
  const std::string dead = put_dead_lock();
  const Outcome outcome = runner_.run({"forget", "-n", a_});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("passed by the stale lock of PID"));
  EXPECT_THAT(testing::lock_names(*storage_), ElementsAre(dead));
}

TEST_F(Forget, WithoutIdsAndRulesIsRefused) {
  EXPECT_THAT(runner_.run({"forget"}).err,
              StartsWith("Fatal: no policy was specified, no snapshots will be removed\n"));
  EXPECT_THAT(runner_.run({"forget", "--no-lock", a_}).err, HasSubstr("--dry-run"));
  EXPECT_THAT(short_ids(), SizeIs(2));
}

TEST_F(Forget, FailsAtOnceIfALiveProcessHoldsALock) {
  builder_.add_sealed(FileType::kLock, write_lock_file(testing::lock_elsewhere(false)));
  EXPECT_EQ(runner_.run({"forget", a_}).code, ExitCode::kLocked);
  EXPECT_THAT(short_ids(), SizeIs(2));
}

using Tag = ChangingSnapshots;

TEST_F(Tag, ReplacesTheSnapshotByOneThatKnowsTheOriginal) {
  const Snapshot before = snapshot_of("a");
  const Outcome outcome = runner_.run({"tag", "--add", "x,y", a_});
  EXPECT_EQ(outcome.out, "create exclusive lock for repository\nmodified 1 snapshots\n");
  const Snapshot after = snapshot_of("a");
  EXPECT_THAT(after.tags, ElementsAre("a", "x", "y"));
  EXPECT_EQ(after.original, before.id);
  EXPECT_EQ(after.time, before.time);
  EXPECT_EQ(after.time_offset_seconds, 7200);
  EXPECT_EQ(after.tree, before.tree);
  EXPECT_THAT(short_ids(), UnorderedElementsAre(after.id.short_hex(), b_));
}

TEST_F(Tag, KeepsTheFirstOriginal) {
  const SnapshotId first = snapshot_of("a").id;
  runner_.run({"tag", "--add", "x", "--host", "a"});
  runner_.run({"tag", "--add", "y", "--host", "a"});
  EXPECT_EQ(snapshot_of("a").original, first);
}

TEST_F(Tag, RemovesAndSets) {
  runner_.run({"tag", "--remove", "b,z", b_});
  EXPECT_THAT(snapshot_of("b").tags, ElementsAre("d", "c")) << "in restic's order";
  runner_.run({"tag", "--set", "new", "--tag", "c"});
  EXPECT_THAT(snapshot_of("b").tags, ElementsAre("new"));
}

TEST_F(Tag, LeavesSnapshotsThatHaveTheTagsAlone) {
  const Outcome outcome = runner_.run({"tag", "--json", "--add", "a", a_});
  EXPECT_EQ(outcome.out, "{\"message_type\":\"summary\",\"changed_snapshots\":0}\n");
  EXPECT_EQ(snapshot_of("a").id.short_hex(), a_);
}

TEST_F(Tag, PrintsTheChangesInJson) {
  const SnapshotId before = snapshot_of("a").id;
  const Outcome outcome = runner_.run({"tag", "--json", "--add", "x", a_});
  EXPECT_EQ(outcome.out, R"({"message_type":"changed","old_snapshot_id":")" + before.hex() +
                             R"(","new_snapshot_id":")" + snapshot_of("a").id.hex() +
                             "\"}\n{\"message_type\":\"summary\",\"changed_snapshots\":1}\n");
}

TEST_F(Tag, NeedsAnOptionThatChangesTags) {
  EXPECT_THAT(runner_.run({"tag", a_}).err, StartsWith("Fatal: nothing to do!"));
  EXPECT_THAT(runner_.run({"tag", "--set", "x", "--add", "y"}).err,
              StartsWith("Fatal: --set and --add/--remove cannot be given at the same time"));
}

TEST_F(Tag, ThatLosesItsLockChangesNothing) {
  lose_the_lock();
  const Outcome outcome = runner_.run({"tag", "--add", "x"});
  EXPECT_EQ(outcome.code, ExitCode::kLocked) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("was removed by others"));
  EXPECT_THAT(short_ids(), UnorderedElementsAre(a_, b_));
}

}  // namespace
}  // namespace restree
