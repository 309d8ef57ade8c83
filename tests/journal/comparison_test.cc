// What an attacker, a provider or a disk does to a repository, and how the next visit sees it.
#include "repo/journal/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/journal/journal_world.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Journal;
using testing::JournalWorld;
using testing::kDay;
using testing::keep_last;
using testing::kHour;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// A machine that has visited a repository of two hosts with ten snapshots each.
class Comparison : public ::testing::Test {
 protected:
  Comparison() {
    for (int day = 0; day < 10; ++day) {
      pass_day();
      journal_.keep(world_.visit());
    }
    EXPECT_THAT(journal_.kinds(), IsEmpty());
    world_.now += kHour;
  }
  void pass_day() {
    world_.now += kDay;
    world_.back_up("db", "/srv/db");
    world_.back_up("mail", "/srv/mail");
  }
  std::vector<std::string> next_visit(const WouldForget& policy = {}) {
    journal_.keep(world_.visit());
    return journal_.kinds(policy);
  }

  JournalWorld world_;
  Journal journal_;
};

TEST_F(Comparison, NothingIsFoundWhereNothingIsDone) { EXPECT_THAT(next_visit(), IsEmpty()); }

TEST(FirstComparison, ComparesWithNothing) {
  JournalWorld world;
  world.now += kDay;
  world.back_up("db", "/srv/db");
  Journal journal;
  journal.keep(world.visit());
  EXPECT_THAT(journal.kinds(), IsEmpty());
}

TEST_F(Comparison, OldSnapshotsThatNobodyHereHasRemovedAreAWarning) {
  world_.snapshots.erase(world_.of("db").front());
  EXPECT_THAT(next_visit(), ElementsAre("vanished-snapshots"));
  EXPECT_EQ(journal_.to_look_at()[0].weight, Weight::kWarning);
}

TEST_F(Comparison, TheNewestOfAHostIsAnAlarm) {
  const JournalId newest = world_.of("db").back();
  world_.snapshots.erase(newest);
  EXPECT_THAT(next_visit(), ElementsAre("vanished-newest"));
  const Finding found = journal_.to_look_at()[0];
  EXPECT_EQ(found.weight, Weight::kAlarm);
  EXPECT_THAT(found.files, ElementsAre(newest));
  ASSERT_EQ(found.about.size(), 1U);
  EXPECT_EQ(found.about[0].host, "db");
  EXPECT_EQ(found.after, world_.now - kHour);
  EXPECT_EQ(found.seen, world_.now);
}

TEST_F(Comparison, WhatThisMachineHasRemovedIsNoFinding) {
  const JournalId gone = world_.of("db").back();
  world_.snapshots.erase(gone);
  Visit forget = world_.visit("forget");
  forget.snapshots.removed = {gone};
  journal_.keep(forget);
  EXPECT_THAT(findings_of(journal_.entries()), IsEmpty());
}

// forget --prune takes minutes, and tells at its end.
TEST_F(Comparison, WhatThisMachineIsStillRemovingIsNoFindingOnceItHasSaidSo) {
  const JournalId gone = world_.of("db").back();
  world_.snapshots.erase(gone);
  EXPECT_THAT(next_visit(), ElementsAre("vanished-newest"));
  Visit forget{.time = world_.now + kHour, .command = "forget"};
  forget.snapshots.removed = {gone};
  journal_.keep(forget);
  EXPECT_THAT(journal_.kinds(), IsEmpty());
}

TEST_F(Comparison, APolicyExplainsWhatItRemovesAndNothingElse) {
  for (int i = 0; i < 5; ++i) world_.snapshots.erase(world_.of("db").front());
  EXPECT_THAT(next_visit(keep_last(5)), IsEmpty());
  EXPECT_THAT(journal_.kinds(keep_last(6)), ElementsAre("vanished-despite-policy"));
  EXPECT_EQ(journal_.to_look_at(keep_last(6))[0].files.size(), 1U);
}

TEST_F(Comparison, ARemovalThatWasKilledIsNotSomebodyElses) {
  journal_.add(removal_entry(world_.now, true, false));
  world_.snapshots.erase(world_.of("db").back());
  EXPECT_THAT(next_visit(), IsEmpty());
  world_.now += kHour;
  world_.snapshots.erase(world_.of("db").back());
  EXPECT_THAT(next_visit(), ElementsAre("vanished-newest")) << "only what the first visit saw";
}

TEST_F(Comparison, NewTagsAreNoFindingAndOtherContentIsARemark) {
  world_.replace(world_.of("db").back(), false);
  EXPECT_THAT(next_visit(), IsEmpty());
  EXPECT_THAT(findings_of(journal_.entries()), IsEmpty());
  world_.replace(world_.of("db").back(), true);
  EXPECT_THAT(next_visit(), IsEmpty());
  ASSERT_EQ(findings_of(journal_.entries()).size(), 1U);
  EXPECT_EQ(findings_of(journal_.entries())[0].kind, FindingKind::kRewritten);
}

TEST_F(Comparison, ARollBackIsOneFindingWithAllThatIsLost) {
  const JournalWorld earlier = world_;
  for (int day = 0; day < 7; ++day) {
    pass_day();
    journal_.keep(world_.visit());
  }
  const std::int64_t now = world_.now;
  world_ = earlier;
  world_.now = now + kHour;
  EXPECT_THAT(next_visit(), ElementsAre("rolled-back"));
  EXPECT_EQ(journal_.to_look_at()[0].files.size(), 14U);
}

// It knows of all files from one visit, and cannot tell by that which came first.
TEST_F(Comparison, AForgetAndAPruneByOthersAfterTheFirstVisitAreNoRollBack) {
  for (const bool replaces_all : {true, false}) {
    JournalWorld world = world_;
    Journal fresh;
    fresh.keep(world.visit());
    world.now += kDay;
    world.snapshots.erase(world.of("db").front());
    if (replaces_all) {
      world.prune();
    } else {
      world.indexes.erase(world.indexes.begin());
      world.indexes.insert(world.next_id());
    }
    fresh.keep(world.visit());
    EXPECT_THAT(fresh.kinds(), ElementsAre("vanished-snapshots")) << replaces_all;
  }
}

TEST_F(Comparison, ARollBackBehindAForgetAndAPruneIsSeen) {
  const JournalWorld earlier = world_;
  pass_day();
  world_.snapshots.erase(world_.of("db").front());
  world_.prune();
  journal_.keep(world_.visit());
  journal_.accept(world_.now);
  const std::int64_t now = world_.now;
  world_ = earlier;
  world_.now = now + kHour;
  EXPECT_THAT(next_visit(), ElementsAre("rolled-back"));
}

TEST_F(Comparison, ARollBackIsSeenAlthoughABackupOfThisMachineWentOnFromThere) {
  const JournalWorld earlier = world_;
  pass_day();
  journal_.keep(world_.visit());
  const std::int64_t now = world_.now;
  world_ = earlier;
  world_.now = now + kHour;
  for (int i = 0; i < 100; ++i) world_.next_id();
  const std::set<JournalId> indexes = world_.indexes;
  const JournalId own = world_.back_up("laptop", "/home").id;
  Visit backup = world_.visit("backup");
  backup.snapshots.written = {own};
  std::ranges::set_difference(world_.indexes, indexes, std::back_inserter(backup.indexes.written));
  journal_.keep(backup);
  EXPECT_THAT(journal_.kinds(), ElementsAre("rolled-back"));
}

TEST_F(Comparison, SnapshotsThatComeBackAreAWarningUnlessTheyWereBroughtBackHere) {
  const JournalId gone = world_.of("db").front();
  const SeenSnapshot kept = world_.snapshots.at(gone);
  world_.snapshots.erase(gone);
  Visit forget = world_.visit("forget");
  forget.snapshots.removed = {gone};
  journal_.keep(forget);
  world_.snapshots.insert({gone, kept});
  Journal undone = journal_;
  EXPECT_THAT(next_visit(), ElementsAre("returned"));
  Visit undo = world_.visit("forget");
  undo.snapshots.written = {gone};
  undone.keep(undo);
  EXPECT_THAT(undone.kinds(), IsEmpty());
}

TEST_F(Comparison, IndexFilesThatAreReplacedAreARemarkAndOthersAnAlarm) {
  world_.prune();
  EXPECT_THAT(next_visit(), IsEmpty());
  EXPECT_THAT(findings_of(journal_.entries())[0].kind, FindingKind::kIndexRewritten);
  world_.indexes.clear();
  EXPECT_THAT(next_visit(), ElementsAre("vanished-index"));
  EXPECT_EQ(journal_.to_look_at()[0].weight, Weight::kAlarm);
}

TEST_F(Comparison, TheSameIndexFilesCannotNameLess) {
  Visit visit = world_.visit();
  visit.index = SeenIndex{.packs = 10, .blobs = 1000};
  journal_.keep(visit);
  visit.index = SeenIndex{.packs = 9, .blobs = 900};
  journal_.keep(visit);
  EXPECT_THAT(journal_.kinds(), ElementsAre("shrunk-index"));
  world_.prune();
  visit = world_.visit();
  visit.index = SeenIndex{.packs = 5, .blobs = 500};
  journal_.keep(visit);
  EXPECT_THAT(journal_.kinds(), ElementsAre("shrunk-index")) << "after a prune they may";
}

TEST_F(Comparison, PacksAndRootsThatAreMissingAreAlarms) {
  Visit visit = world_.visit();
  visit.missing = SeenMissing{
      .packs = 3, .snapshots = {world_.of("db").front()}, .unreadable = {world_.next_id()}};
  journal_.keep(visit);
  EXPECT_THAT(journal_.kinds(),
              ElementsAre("missing-packs", "unreadable-files", "unindexed-snapshots"));
  journal_.accept(world_.now);
  journal_.keep(visit);
  EXPECT_THAT(journal_.kinds(), IsEmpty()) << "accepted, and no more than before";
}

TEST_F(Comparison, ContentThatChangedWithoutATraceIsAWarningOfEachSnapshot) {
  Visit visit = world_.visit();
  const std::vector<JournalId> of_db = world_.of("db");
  visit.missing = SeenMissing{.silent = {{of_db.front(), 2}, {of_db.back(), 1}}};
  journal_.keep(visit);
  EXPECT_THAT(journal_.kinds(), ElementsAre("silent-changes"));
  const Finding found = journal_.to_look_at().front();
  EXPECT_EQ(
      headline_of(found),
      "2 snapshots have 3 files whose content is another one while size and time are the same");
  EXPECT_EQ(found.about.size(), 2U);
  visit.missing = SeenMissing();
  journal_.keep(visit);
  EXPECT_THAT(journal_.kinds(), ElementsAre("silent-changes")) << "until it is accepted";
  journal_.accept(world_.now);
  EXPECT_THAT(journal_.kinds(), IsEmpty());
}

TEST_F(Comparison, AFutureDateIsAnAlarmFromADayOn) {
  SeenSnapshot& near = world_.back_up("db", "/srv/db");
  near.time += 20 * kHour;
  EXPECT_THAT(next_visit(), IsEmpty());
  world_.back_up("db", "/srv/db").time += 2 * kDay;
  EXPECT_THAT(next_visit(), ElementsAre("future-snapshot"));
  world_.now += 2 * kDay;
  EXPECT_THAT(next_visit(), IsEmpty()) << "the date has passed";
}

TEST_F(Comparison, APastDateIsAWarningUnlessTheSnapshotIsACopyOrLongInTheMaking) {
  SeenSnapshot& copied = world_.back_up("old", "/srv");
  copied.time -= 100 * kDay;
  copied.figures->ended = copied.time;
  copied.original = world_.next_id();
  SeenSnapshot& lengthy = world_.back_up("huge", "/srv");
  lengthy.time -= 3 * kDay;
  EXPECT_THAT(next_visit(), IsEmpty());
  SeenSnapshot& forged = world_.back_up("db", "/srv/db");
  forged.time -= 5 * kDay;
  forged.figures->ended = forged.time;
  EXPECT_THAT(next_visit(), ElementsAre("past-snapshot"));
}

TEST_F(Comparison, DatesAreNotComparedIfTheClockOfThisMachineWentBack) {
  world_.now -= 30 * kDay;
  SeenSnapshot& one = world_.back_up("db", "/srv/db");
  one.time += 30 * kDay;
  EXPECT_THAT(next_visit(), IsEmpty());
  ASSERT_EQ(findings_of(journal_.entries()).size(), 1U);
  EXPECT_EQ(findings_of(journal_.entries())[0].kind, FindingKind::kClockWentBack);
}

TEST_F(Comparison, AnEmptySourceIsAnAlarm) {
  world_.back_up("db", "/srv/db", {.files = 0});
  EXPECT_THAT(next_visit(), ElementsAre("empty-source"));
}

TEST_F(Comparison, HalfOfTheFilesIsAWarning) {
  world_.back_up("db", "/srv/db", {.files = 490});
  EXPECT_THAT(next_visit(), ElementsAre("fewer-files"));
}

TEST_F(Comparison, FilesThatAllChangeAndDoNotCompressAreAnAlarm) {
  SeenFigures figures{.files = 1000, .files_new = 0, .files_changed = 950};
  figures.bytes_added = 1'000'000;
  figures.bytes_packed = 400'000;
  world_.back_up("db", "/srv/db", figures);
  EXPECT_THAT(next_visit(), ElementsAre("mostly-changed"));
  EXPECT_EQ(journal_.to_look_at()[0].weight, Weight::kWarning);
  figures.bytes_packed = 999'000;
  world_.back_up("mail", "/srv/mail", figures);
  EXPECT_THAT(next_visit(), ElementsAre("mostly-changed", "mostly-changed"));
  EXPECT_EQ(journal_.to_look_at()[1].weight, Weight::kAlarm);
}

TEST_F(Comparison, ASourceThatChangesEveryDayIsNoFinding) {
  const SeenFigures dumps{.files = 30, .files_new = 2, .files_changed = 28};
  SeenSnapshot& first = world_.back_up("dumps", "/srv/dumps", dumps);
  first.has_parent = false;
  EXPECT_THAT(next_visit(), IsEmpty());
  world_.now += kDay;
  world_.back_up("dumps", "/srv/dumps", dumps);
  next_visit();
  journal_.accept(world_.now);  // once it is asked
  world_.now += kDay;
  world_.back_up("dumps", "/srv/dumps", dumps);
  EXPECT_THAT(next_visit(), IsEmpty());
}

TEST_F(Comparison, KeysOfOthersThatComeAndGoAreWarnings) {
  const JournalId old_key = *world_.keys.begin();
  const JournalId key = world_.next_id();
  world_.keys = {key};
  EXPECT_THAT(next_visit(), UnorderedElementsAre("new-key", "vanished-key"));
  journal_.accept(world_.now);
  world_.keys = {old_key};
  Visit passwd = world_.visit("key passwd");
  passwd.keys.written = {old_key};
  passwd.keys.removed = {key};
  journal_.keep(passwd);
  EXPECT_THAT(journal_.kinds(), IsEmpty());
}

TEST_F(Comparison, AConfigThatIsAnotherIsAnAlarmAndANewerFormatAWarning) {
  world_.config.hash = world_.next_id();
  EXPECT_THAT(next_visit(), ElementsAre("replaced-config"));
  world_.config = {.hash = world_.next_id(), .version = 3};
  EXPECT_THAT(next_visit(), ElementsAre("replaced-config", "upgraded-config"));
  world_.config.hash = world_.next_id();
  Visit own = world_.visit("rescue-key import");
  own.wrote_config = true;
  journal_.keep(own);
  EXPECT_THAT(next_visit(), SizeIs(2)) << "as before";
}

TEST_F(Comparison, AnotherRepositoryAtTheAddressIsAnAlarmOfTheFirstVisit) {
  Journal fresh;
  Visit visit = world_.visit();
  visit.earlier_here = RepositoryId();
  fresh.keep(visit);
  EXPECT_THAT(fresh.kinds(), ElementsAre("another-repository"));
}

TEST_F(Comparison, FindingsStayUntilTheyAreAccepted) {
  world_.snapshots.erase(world_.of("db").back());
  next_visit();
  world_.now += kDay;
  EXPECT_THAT(next_visit(), ElementsAre("vanished-newest"));
  journal_.accept(world_.now);
  EXPECT_THAT(next_visit(), IsEmpty());
}

TEST_F(Comparison, ARunThatListsNothingFindsNothing) {
  Visit visit{.time = world_.now, .command = "cat", .config = world_.config};
  world_.snapshots.clear();
  journal_.keep(visit);
  EXPECT_THAT(journal_.kinds(), IsEmpty());
}

TEST(Findings, EachHasItsWords) {
  for (int kind = 0; kind <= static_cast<int>(FindingKind::kClockWentBack); ++kind) {
    Finding finding{FindingKind{static_cast<std::uint8_t>(kind)}, Weight::kAlarm};
    finding.files = {JournalId()};
    finding.count = 1;
    EXPECT_NE(name_of(finding.kind), "unknown") << kind;
    EXPECT_FALSE(headline_of(finding).empty()) << name_of(finding.kind);
    EXPECT_NE(readings_of(finding.kind).innocent, "-") << name_of(finding.kind);
  }
}

}  // namespace
}  // namespace restree
