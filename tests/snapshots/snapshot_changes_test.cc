#include "repo/snapshots/snapshot_changes.h"

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "tests/support/gate.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;
using ::testing::SizeIs;
using testing::soon;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;
using testing::value_of;

using Tags = std::vector<std::string>;
constexpr std::chrono::seconds kPatience{60};

TEST(ChangedTags, AddsATagOnce) {
  EXPECT_THAT(changed_tags({"a"}, {.set = {}, .add = {"b", "a", "b"}, .remove = {}}),
              Optional(ElementsAre("a", "b")));
}

TEST(ChangedTags, PutsTheLastTagInThePlaceOfARemovedOneAsResticDoes) {
  EXPECT_THAT(changed_tags({"a", "b", "c"}, {.set = {}, .add = {}, .remove = {"a", "z"}}),
              Optional(ElementsAre("c", "b")));
}

TEST(ChangedTags, RemovesWhatItHasAdded) {
  EXPECT_EQ(changed_tags({"a"}, {.set = {}, .add = {"b"}, .remove = {"b"}}), std::nullopt);
}

TEST(ChangedTags, LeavesASnapshotAloneThatHasTheTagsAlready) {
  EXPECT_EQ(changed_tags({"a"}, {.set = {}, .add = {"a"}, .remove = {"b"}}), std::nullopt);
}

TEST(ChangedTags, SetsTheTagsWhateverTheyWere) {
  EXPECT_THAT(changed_tags({"a"}, {.set = {"a"}, .add = {}, .remove = {}}),
              Optional(ElementsAre("a")));
}

class SnapshotChanges : public ::testing::Test {
 protected:
  // Snapshots of the hosts h0, h1, …, in this order.
  std::vector<SnapshotId> add_snapshots(std::size_t count) {
    testing::RepositoryBuilder& builder = memory_.builder();
    const BlobId tree = builder.add_tree({});
    for (std::size_t i = 0; i < count; ++i) {
      builder.add_snapshot(tree, {.hostname = "h" + std::to_string(i)});
    }
    builder.finish();
    repository_ = memory_.open();
    std::map<std::string, SnapshotId> by_host;
    for (const SnapshotId& id : stored()) by_host[load(id).hostname] = id;
    std::vector<SnapshotId> ids;
    for (const auto& [host, id] : by_host) ids.push_back(id);
    return ids;
  }
  std::vector<SnapshotId> stored() { return value_of(repository_->list_snapshots(soon())); }
  Snapshot load(const SnapshotId& id) { return value_of(repository_->load_snapshot(id, soon())); }

  void fail_removal_of(const SnapshotId& id, ErrorKind kind) {
    memory_.storage().watch_removals([id, kind](const FileName& file) -> Status {
      if (file.name != id.hex()) return {};
      return Error(kind, "no removal of " + file.name);
    });
  }
  // Removes the snapshots and remembers in `done_` what was reported of each.
  Result<std::size_t> remove(const std::vector<SnapshotId>& ids, std::stop_token stop = {}) {
    return remove_snapshots(*repository_, ids,
                            {.patience = kPatience,
                             .stop = std::move(stop),
                             .on_done = [this](const SnapshotId& id, const Status& removed) {
                               const std::string why = removed ? "" : removed.error().message();
                               done_.lock()->emplace(id, why);
                             }});
  }

  testing::MemoryRepository memory_;
  std::unique_ptr<Repository> repository_;
  Guarded<std::map<SnapshotId, std::string>> done_;
};

TEST_F(SnapshotChanges, ReplacesASnapshotByOneThatNamesTheOriginal) {
  const std::vector<SnapshotId> ids = add_snapshots(2);
  Snapshot changed = load(ids[0]);
  changed.tags = {"new"};
  const SnapshotId after = value_of(replace_snapshot(*repository_, changed, kPatience));
  EXPECT_THAT(stored(), UnorderedElementsAre(after, ids[1]));
  EXPECT_EQ(load(after).original, ids[0]);
  EXPECT_EQ(load(after).tags, Tags{"new"});
  EXPECT_EQ(load(after).hostname, "h0");
}

TEST_F(SnapshotChanges, KeepsTheFirstOriginalWhenASnapshotIsReplacedAgain) {
  const SnapshotId first = add_snapshots(1)[0];
  const SnapshotId second = value_of(replace_snapshot(*repository_, load(first), kPatience));
  const SnapshotId third = value_of(replace_snapshot(*repository_, load(second), kPatience));
  EXPECT_THAT(stored(), ElementsAre(third));
  EXPECT_EQ(load(third).original, first);
}

TEST_F(SnapshotChanges, WritesTheNewSnapshotBeforeItRemovesTheOldOne) {
  const SnapshotId before = add_snapshots(1)[0];
  std::size_t there_at_the_removal = 0;
  memory_.storage().watch_removals([&](const FileName&) -> Status {
    there_at_the_removal = stored().size();
    return {};
  });
  EXPECT_OK(replace_snapshot(*repository_, load(before), kPatience));
  EXPECT_EQ(there_at_the_removal, 2U);
}

TEST_F(SnapshotChanges, RemovesNothingIfTheNewSnapshotCannotBeWritten) {
  const SnapshotId before = add_snapshots(1)[0];
  memory_.storage().watch_writes(
      [](const FileName&) -> Status { return Error(ErrorKind::kDenied, "disk full"); });
  EXPECT_THAT(replace_snapshot(*repository_, load(before), kPatience),
              FailsWith(ErrorKind::kDenied));
  EXPECT_THAT(stored(), ElementsAre(before));
}

TEST_F(SnapshotChanges, SaysThatTheOldSnapshotCouldNotBeRemoved) {
  const SnapshotId before = add_snapshots(1)[0];
  fail_removal_of(before, ErrorKind::kDenied);
  EXPECT_THAT(replace_snapshot(*repository_, load(before), kPatience),
              FailsWith(ErrorKind::kDenied));
  EXPECT_THAT(stored(), SizeIs(2)) << "neither is lost";
}

TEST_F(SnapshotChanges, RemovesSeveralAndReportsEach) {
  std::vector<SnapshotId> ids = add_snapshots(12);
  const SnapshotId kept = ids.back();
  ids.pop_back();
  EXPECT_EQ(value_of(remove(ids)), 0U);
  EXPECT_THAT(stored(), ElementsAre(kept));
  std::vector<SnapshotId> reported;
  const std::map<SnapshotId, std::string> done = *done_.lock();
  for (const auto& [id, why] : done) reported.push_back(id);
  EXPECT_THAT(reported, UnorderedElementsAreArray(ids));
}

TEST_F(SnapshotChanges, RemovesAtTheSameTime) {
  const std::vector<SnapshotId> ids = add_snapshots(3);
  testing::Gate gate;
  memory_.storage().watch_removals([&](const FileName&) -> Status {
    gate.pass();
    return {};
  });
  std::jthread opener([&] {
    gate.wait_for_arrivals(ids.size());
    gate.open();
  });
  EXPECT_EQ(value_of(remove(ids)), 0U);
}

TEST_F(SnapshotChanges, GoesOnAfterASnapshotThatCannotBeRemovedAndNamesIt) {
  const std::vector<SnapshotId> ids = add_snapshots(8);
  fail_removal_of(ids[1], ErrorKind::kDenied);
  EXPECT_EQ(value_of(remove(ids)), 1U);
  EXPECT_THAT(stored(), ElementsAre(ids[1]));
  EXPECT_EQ(done_.lock()->size(), ids.size());
  EXPECT_EQ(done_.lock()->at(ids[1]), "no removal of " + ids[1].hex());
}

TEST_F(SnapshotChanges, CountsASnapshotThatOthersHaveRemovedAsRemoved) {
  const SnapshotId gone = add_snapshots(1)[0];
  memory_.remove({FileType::kSnapshot, gone.hex()});
  EXPECT_EQ(value_of(remove({gone})), 0U);
  EXPECT_THAT(*done_.lock(), ElementsAre(Pair(gone, "")));
}

TEST_F(SnapshotChanges, EndsTheRemovalOnceTheLockIsGone) {
  const std::vector<SnapshotId> ids = add_snapshots(2);
  fail_removal_of(ids[0], ErrorKind::kLocked);
  EXPECT_THAT(remove({ids[0]}), FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(*done_.lock(), IsEmpty());
  EXPECT_THAT(stored(), SizeIs(2));
}

TEST_F(SnapshotChanges, RemovesNothingAfterAStop) {
  const std::vector<SnapshotId> ids = add_snapshots(2);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(remove(ids, stop.get_token()), FailsWith(ErrorKind::kCancelled));
  EXPECT_THAT(stored(), SizeIs(2));
}

}  // namespace
}  // namespace restree
