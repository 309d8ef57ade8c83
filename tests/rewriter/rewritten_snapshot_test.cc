#include "repo/rewriter/rewritten_snapshot.h"

#include <gmock/gmock.h>

#include <string>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using Kind = SnapshotFate::Kind;
using ::testing::ElementsAre;
using ::testing::Optional;
using testing::value_of;

template <class IdType = BlobId>
IdType id(char digit) {
  return *IdType::parse(std::string(64, digit));
}

Snapshot before() {
  Snapshot snapshot;
  snapshot.id = id<SnapshotId>('1');
  snapshot.original = id<SnapshotId>('0');
  snapshot.parent = id<SnapshotId>('9');
  snapshot.tree = id('a');
  snapshot.hostname = "old";
  snapshot.tags = {"t"};
  snapshot.summary.emplace();
  snapshot.summary->files_new = 5;
  snapshot.summary->total_files_processed = 2;
  snapshot.summary->total_bytes_processed = 30;
  snapshot.others = {{"label", "\"x\""}};
  return snapshot;
}
RewrittenTree tree(char digit, std::uint64_t files = 2, std::uint64_t bytes = 30) {
  return {.id = id(digit), .files = files, .bytes = bytes};
}

TEST(FateOf, ASnapshotWithTheSameTreeStays) {
  EXPECT_EQ(fate_of(before(), tree('a'), {.count_content = true}).kind, Kind::kStays);
  EXPECT_EQ(fate_of(before(), tree('a', 7), {}).kind, Kind::kStays) << "nobody counts";
  EXPECT_EQ(fate_of(before(), std::nullopt, {}).kind, Kind::kStays);
}

TEST(FateOf, ASnapshotWithAnotherTreeBecomesOneThatNamesIt) {
  const SnapshotFate fate =
      fate_of(before(), tree('b', 1, 20), {.tag = "rewrite", .count_content = true});
  EXPECT_EQ(fate.kind, Kind::kBecomes);
  EXPECT_EQ(fate.successor.tree, id('b'));
  EXPECT_THAT(fate.successor.original, Optional(before().id)) << "as restic: not the first of all";
  EXPECT_EQ(fate.successor.parent, before().parent);
  EXPECT_THAT(fate.successor.tags, ElementsAre("t", "rewrite"));
  const SnapshotSummary summary = value_of(fate.successor.summary);
  EXPECT_EQ(summary.files_new, 5U);
  EXPECT_EQ(summary.total_files_processed, 1U);
  EXPECT_EQ(summary.total_bytes_processed, 20U);
  EXPECT_EQ(fate.successor.others.size(), 1U);
}

TEST(FateOf, ATagIsAddedOnce) {
  EXPECT_THAT(fate_of(before(), tree('b'), {.tag = "t"}).successor.tags, ElementsAre("t"));
  EXPECT_THAT(fate_of(before(), tree('b'), {}).successor.tags, ElementsAre("t"));
}

TEST(FateOf, CountsThatLackAreAReasonToo) {
  Snapshot bare = before();
  bare.summary.reset();
  const SnapshotFate fate = fate_of(bare, tree('a', 0, 0), {.count_content = true});
  EXPECT_EQ(fate.kind, Kind::kBecomes);
  const SnapshotSummary summary = value_of(fate.successor.summary);
  EXPECT_EQ(format_zoned_timestamp(summary.backup_start), "0001-01-01T00:00:00Z");
  EXPECT_EQ(fate_of(before(), tree('a', 3), {.count_content = true}).kind, Kind::kBecomes);
}

TEST(FateOf, HostAndTimeAreChangedWhateverTheTree) {
  const ZonedTimestamp time{.time = {.seconds = 100}, .offset_seconds = 3600};
  for (const std::optional<RewrittenTree>& same : {std::optional<RewrittenTree>(), {tree('a')}}) {
    const SnapshotFate fate = fate_of(before(), same, {.host = "new", .time = time});
    EXPECT_EQ(fate.kind, Kind::kBecomes);
    EXPECT_EQ(fate.successor.tree, id('a'));
    EXPECT_EQ(fate.successor.hostname, "new");
    EXPECT_EQ(fate.successor.time, time.time);
    EXPECT_EQ(fate.successor.time_offset_seconds, 3600);
  }
}

TEST(FateOf, ASnapshotOfWhichNothingIsLeftGoesIfItMay) {
  EXPECT_EQ(fate_of(before(), RewrittenTree(), {}).kind, Kind::kGoes);
  EXPECT_EQ(fate_of(before(), RewrittenTree(), {.host = "new", .remove_emptied = false}).kind,
            Kind::kStays);
}

}  // namespace
}  // namespace restree
