#include "repo/journal/audited_pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Known = std::unordered_set<JournalId>;
using Numbers = std::pair<int, int>;

JournalId numbered_id(int number) {
  JournalId id;
  id.bytes[0] = static_cast<std::byte>(number);
  return id;
}

// The time is the number, too.
Snapshot snapshot(int number, const std::string& host, std::vector<std::string> paths = {"/srv"}) {
  Snapshot one;
  one.id.bytes = numbered_id(number).bytes;
  one.time = {number, 0};
  one.hostname = host;
  one.paths = std::move(paths);
  return one;
}

std::vector<Numbers> pairs(const std::vector<Snapshot>& snapshots,
                           const std::optional<Known>& known) {
  std::vector<Numbers> numbers;
  for (const AuditedPair& pair : pairs_to_audit(snapshots, known)) {
    numbers.emplace_back(pair.before->time.seconds, pair.after->time.seconds);
  }
  return numbers;
}

TEST(AuditedPairs, AreThoseThatHaveComeWithTheOnesBeforeThem) {
  const std::vector<Snapshot> all{snapshot(4, "a"), snapshot(1, "a"), snapshot(2, "b"),
                                  snapshot(3, "a"), snapshot(5, "b")};
  EXPECT_THAT(pairs(all, Known{numbered_id(1), numbered_id(2)}),
              ElementsAre(Numbers(2, 5), Numbers(3, 4), Numbers(1, 3)));
  Known every;
  for (int i = 1; i <= 5; ++i) every.insert(numbered_id(i));
  EXPECT_THAT(pairs(all, every), IsEmpty());
}

TEST(AuditedPairs, AreTheNewestOfEachSourceTheFirstTime) {
  EXPECT_THAT(pairs({snapshot(1, "a"), snapshot(2, "a"), snapshot(3, "a"), snapshot(4, "b"),
                     snapshot(5, "b", {"/home"}), snapshot(6, "b")},
                    std::nullopt),
              ElementsAre(Numbers(4, 6), Numbers(2, 3)));
}

TEST(AuditedPairs, AreOfOneHostAndItsPathsInAnyOrder) {
  EXPECT_THAT(pairs({snapshot(1, "a", {"/x", "/y"}), snapshot(2, "a", {"/y", "/x"}),
                     snapshot(3, "a", {"/x"})},
                    Known{}),
              ElementsAre(Numbers(1, 2)));
}

TEST(AuditedPairs, LeaveOutWhatReplacesOrCopiesAnother) {
  Snapshot copied = snapshot(2, "a");
  copied.original = SnapshotId();
  EXPECT_THAT(pairs({snapshot(1, "a"), copied, snapshot(3, "a")}, Known{}),
              ElementsAre(Numbers(1, 3)));
}

TEST(AuditedPairs, AreTheNewestIfThereAreVeryMany) {
  std::vector<Snapshot> all;
  for (int i = 1; i <= 200; ++i) all.push_back(snapshot(i, "a"));
  const std::vector<Numbers> found = pairs(all, Known{});
  EXPECT_THAT(found, SizeIs(kMostAuditedPairs));
  EXPECT_EQ(found.front(), Numbers(199, 200));
}

TEST(AuditedPairs, KnownIsWhatTheLastAuditAndThoseBeforeItHaveSeen) {
  std::vector<JournalEntry> entries(4);
  for (int i = 0; i < 4; ++i)
    entries[static_cast<std::size_t>(i)].snapshots.added = {numbered_id(i)};
  EXPECT_EQ(known_at_last_audit(entries), std::nullopt);
  entries[2].command = "audit";
  EXPECT_EQ(known_at_last_audit(entries), (Known{numbered_id(0), numbered_id(1), numbered_id(2)}));
  entries[3].kind = EntryKind::kFrom;
  EXPECT_THAT(known_at_last_audit(entries).value(), SizeIs(4));
}

}  // namespace
}  // namespace restree
