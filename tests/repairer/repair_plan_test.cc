#include "repo/repairer/repair_plan.h"

#include <gmock/gmock.h>

#include <ostream>
#include <string>
#include <vector>

namespace restree {
namespace {

PackId pack(char digit) { return *PackId::parse(std::string(64, digit)); }
SnapshotId snapshot(char digit) { return *SnapshotId::parse(std::string(64, digit)); }

struct Case {
  std::string name;
  RepairFacts facts;
  std::string steps;  // their names; in brackets if the steps before may make them needless
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

std::string steps_of(const RepairFacts& facts) {
  std::string all;
  for (const PlannedStep& step : plan_repair(facts)) {
    const std::string name(name_of(step.step));
    all += (all.empty() ? "" : " ") + (step.is_conditional ? "(" + name + ")" : name);
  }
  return all;
}

class RepairPlan : public ::testing::TestWithParam<Case> {};

TEST_P(RepairPlan, HasTheStepsThatHelpInTheirOrder) {
  EXPECT_EQ(steps_of(GetParam().facts), GetParam().steps);
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"Whole", {}, ""},
      {"WholeWithASecond", {.has_second = true}, ""},
      {"LeavingsOfABackup", {.unindexed_packs = 3}, ""},
      {"LeavingsOfABackupAndASecond", {.unindexed_packs = 3, .has_second = true}, ""},
      {"IndexGone", {.unindexed_packs = 2, .lost_blobs = 5}, "index (snapshots)"},
      {"IndexFileDamaged",
       {.damaged_index_files = 1, .unindexed_packs = 2, .lost_blobs = 5},
       "index (snapshots)"},
      {"IndexFileDamagedWithoutHarm", {.damaged_index_files = 1}, "index"},
      {"IndexLies", {.misindexed_packs = {pack('1')}}, "index"},
      {"PackGone", {.missing_packs = 1, .lost_blobs = 4}, "index snapshots"},
      {"PackGoneThatNobodyNeeds", {.missing_packs = 1}, "index"},
      {"PackGoneAndASecond",
       {.missing_packs = 1, .lost_blobs = 4, .has_second = true},
       "index retrieval (snapshots)"},
      {"PackDamaged", {.damaged_packs = {pack('1')}, .lost_blobs = 1}, "packs snapshots"},
      {"PackDamagedThatNobodyNeeds", {.damaged_packs = {pack('1')}}, "packs"},
      {"BlobsInNoIndex", {.lost_blobs = 2}, "snapshots"},
      {"BlobsInNoIndexAndASecond", {.lost_blobs = 2, .has_second = true}, "retrieval (snapshots)"},
      {"SnapshotFileDamaged", {.unreadable_snapshots = {snapshot('1')}}, "snapshot_files"},
      {"Everything",
       {.damaged_index_files = 1,
        .missing_packs = 1,
        .unindexed_packs = 1,
        .misindexed_packs = {pack('1')},
        .damaged_packs = {pack('2')},
        .lost_blobs = 9,
        .unreadable_snapshots = {snapshot('1')},
        .has_second = true},
       "index packs (retrieval) snapshot_files (snapshots)"},
  };
  return all;
}

INSTANTIATE_TEST_SUITE_P(Facts, RepairPlan, ::testing::ValuesIn(cases()),
                         [](const auto& one) { return one.param.name; });

TEST(RepairPlanReasons, NameAllThatIsWrongWithTheIndex) {
  const auto steps = plan_repair({.damaged_index_files = 1, .missing_packs = 2});
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].why, "1 index file is damaged; 2 packs are missing that the index names");
}

TEST(RepairPlanCommands, NameThePacksAndTheSecondRepository) {
  const auto steps =
      plan_repair({.damaged_packs = {pack('1'), pack('2')}, .lost_blobs = 1, .has_second = true});
  ASSERT_FALSE(steps.empty());
  EXPECT_EQ(command_for(steps[0], "--from-repo /b"),
            "repair packs --quarantine repository --from-repo /b " + pack('1').hex() + " " +
                pack('2').hex());
}

TEST(RepairPlanCommands, BelieveNoIndexFileIfOneIsWrongAboutAWholePack) {
  EXPECT_EQ(command_for(plan_repair({.misindexed_packs = {pack('1')}}).at(0), ""),
            "repair index --read-all-packs --quarantine repository");
  EXPECT_EQ(command_for(plan_repair({.missing_packs = 1}).at(0), ""),
            "repair index --quarantine repository");
}

TEST(RepairPlanCommands, SnapshotsAreRemovedByNameAndMendedAltogether) {
  const auto steps = plan_repair({.lost_blobs = 1, .unreadable_snapshots = {snapshot('5')}});
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(command_for(steps[0], ""),
            "repair snapshots --forget --quarantine repository " + snapshot('5').hex());
  EXPECT_EQ(command_for(steps[1], ""), "repair snapshots --forget --quarantine repository");
}

}  // namespace
}  // namespace restree
