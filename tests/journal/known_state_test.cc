#include "repo/journal/known_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/journal/journal_world.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Journal;
using testing::journal_id;
using testing::JournalWorld;
using testing::kDay;

TEST(KnownState, TheSameAgainIsABareEntry) {
  JournalWorld world;
  world.back_up("db", "/srv");
  KnownState state;
  const JournalEntry first = changes_since(state, world.visit());
  EXPECT_FALSE(is_bare(first));
  state.apply(first);
  EXPECT_TRUE(is_bare(changes_since(state, world.visit())));
  Visit looks = world.visit();
  looks.missing = SeenMissing();
  EXPECT_TRUE(is_bare(changes_since(state, looks))) << "that nothing is missing is nothing new";
}

TEST(KnownState, WhatIsNotListedStaysAsItWas) {
  JournalWorld world;
  world.back_up("db", "/srv");
  KnownState state;
  state.apply(changes_since(state, world.visit()));
  Visit blind{.time = world.now + kDay, .config = world.config};
  state.apply(changes_since(state, blind));
  EXPECT_EQ(state.snapshots.present.size(), 1U);
  EXPECT_EQ(state.snapshots.last_listed, world.now);
  EXPECT_EQ(state.last_time, world.now + kDay);
}

TEST(KnownState, ASnapshotThatWasListedAndNotReadIsDescribedLater) {
  JournalWorld world;
  const JournalId id = world.back_up("db", "/srv").id;
  Visit unread = world.visit();
  unread.details.clear();
  KnownState state;
  state.apply(changes_since(state, unread));
  EXPECT_EQ(state.find(id), nullptr);
  world.now += kDay;
  state.apply(changes_since(state, world.visit()));
  ASSERT_NE(state.find(id), nullptr);
  EXPECT_EQ(state.snapshots.present.at(id).first_seen, world.now - kDay);
}

TEST(KnownState, WhatARunWritesAndRemovesItselfNeverAppears) {
  KnownState state;
  Visit visit;
  visit.snapshots.written = {journal_id(1), journal_id(2)};
  visit.snapshots.removed = {journal_id(2)};
  const JournalEntry entry = changes_since(state, visit);
  EXPECT_THAT(entry.snapshots.added, ElementsAre(journal_id(1)));
  EXPECT_THAT(entry.snapshots.gone, IsEmpty());
  state.apply(entry);
  EXPECT_TRUE(state.snapshots.present.at(journal_id(1)).is_own);
}

TEST(KnownState, WhatIsGoneIsRememberedWithTheTimesOfBefore) {
  JournalWorld world;
  const JournalId id = world.back_up("db", "/srv").id;
  Journal journal;
  journal.keep(world.visit());
  const std::int64_t first = world.now;
  world.now += kDay;
  world.snapshots.clear();
  journal.keep(world.visit());
  const FileTimes times = journal.state().snapshots.gone.at(id);
  EXPECT_EQ(times.first_seen, first);
  EXPECT_EQ(times.unseen_until, kNoTime);
  EXPECT_EQ(times.gone, world.now);
  EXPECT_NE(journal.state().find(id), nullptr);
}

TEST(KnownState, OfWhatIsGoneTheLastAreRemembered) {
  KnownState state;
  JournalEntry entry;
  for (std::uint64_t i = 0; i < kMostGone; ++i) entry.indexes.gone.push_back(journal_id(i));
  state.apply(entry);
  JournalEntry later{.time = 1};
  later.indexes.gone = {journal_id(kMostGone)};
  state.apply(later);
  EXPECT_EQ(state.indexes.gone.size(), kMostGone);
  EXPECT_TRUE(state.indexes.gone.contains(journal_id(kMostGone)));
}

void expect_same(const KnownFiles& a, const KnownFiles& b) {
  EXPECT_EQ(a.present, b.present);
  EXPECT_EQ(a.gone, b.gone);
}

TEST(KnownState, CondensedEntriesGiveTheSameState) {
  JournalWorld world;
  Journal journal;
  for (int day = 0; day < 20; ++day) {
    world.now += kDay;
    world.back_up("db", "/srv");
    if (day % 5 == 4) world.prune();
    if (day > 10) world.snapshots.erase(world.of("db").front());
    journal.keep(world.visit());
  }
  journal.add(removal_entry(world.now, true, false));
  KnownState again;
  for (const JournalEntry& entry : condensed(journal.state())) again.apply(entry);
  expect_same(again.keys, journal.state().keys);
  expect_same(again.indexes, journal.state().indexes);
  expect_same(again.snapshots, journal.state().snapshots);
  EXPECT_EQ(again.details, journal.state().details);
  EXPECT_EQ(again.config, journal.state().config);
  EXPECT_EQ(again.last_time, journal.state().last_time);
  EXPECT_TRUE(again.is_removing_snapshots);
  EXPECT_TRUE(is_bare(changes_since(again, world.visit())));
}

TEST(SeenBy, HasWhatWasSeenByThenAndOwnIndexesOfLater) {
  JournalWorld world;
  const JournalId old = world.back_up("db", "/srv").id;
  world.back_up("db", "/srv").time += 400 * kDay;
  const std::set<JournalId> old_indexes = world.indexes;
  Journal journal;
  journal.keep(world.visit());
  const std::int64_t then = world.now;
  world.now += kDay;
  world.back_up("db", "/srv");
  Visit later = world.visit();
  const JournalId own = world.next_id();
  later.indexes.written = {own};
  journal.keep(later);
  const SeenBy seen = seen_by(journal.state(), then);
  EXPECT_THAT(seen.snapshots, ElementsAre(old)) << "neither the later one nor that of the future";
  EXPECT_EQ(seen.indexes.size(), old_indexes.size() + 1);
  EXPECT_THAT(seen.indexes, Contains(own));
  EXPECT_EQ(journal.state().first_time, then);
}

}  // namespace
}  // namespace restree
