#include "repo/copier/copied_snapshots.h"

#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "repo/copier/copier.h"

namespace restree {
namespace {

SnapshotId id_of(char digit) { return *SnapshotId::parse(std::string(64, digit)); }

Snapshot snapshot(char digit) {
  Snapshot made;
  made.id = id_of(digit);
  made.time = {.seconds = 1'700'000'000, .nanoseconds = 5};
  made.time_offset_seconds = 7200;
  made.tree = *BlobId::parse(std::string(64, 'e'));
  made.paths = {"/srv", "/home"};
  made.hostname = "web";
  made.username = "root";
  made.uid = 3;
  made.gid = 4;
  made.excludes = {"*.tmp", "cache"};
  made.tags = {"daily", "offsite"};
  made.parent = id_of('9');
  made.program_version = "restic 0.19.1";
  return made;
}

TEST(CopiedSnapshots, ACopyNamesItsSourceAndHasNoParent) {
  const Snapshot source = snapshot('1');
  const Snapshot copy = copied_form(source);
  EXPECT_EQ(copy.original, source.id);
  EXPECT_EQ(copy.parent, std::nullopt);
  EXPECT_EQ(copy.time_offset_seconds, 7200);
  EXPECT_EQ(copy.program_version, source.program_version);
  EXPECT_TRUE(is_same_backup(source, copy));
}

TEST(CopiedSnapshots, ACopyOfACopyNamesTheFirst) {
  Snapshot source = snapshot('2');
  source.original = id_of('1');
  EXPECT_EQ(copied_form(source).original, id_of('1'));
}

TEST(CopiedSnapshots, ACopyIsFoundWhicheverOfTheTwoWasMadeFromTheOther) {
  const Snapshot first = snapshot('1');
  Snapshot copy = copied_form(first);
  copy.id = id_of('2');
  EXPECT_EQ(CopiedSnapshots({copy}).find(first), id_of('2'));
  EXPECT_EQ(CopiedSnapshots({first}).find(copy), id_of('1')) << "copied back";
  EXPECT_EQ(CopiedSnapshots({first}).find(first), id_of('1')) << "into itself";
  EXPECT_EQ(CopiedSnapshots({copy}).find(snapshot('3')), std::nullopt) << "of another original";
  EXPECT_EQ(CopiedSnapshots({}).find(first), std::nullopt);
}

TEST(CopiedSnapshots, OneThatWasChangedSinceIsNotTheSame) {
  const Snapshot source = snapshot('1');
  const std::vector<std::function<void(Snapshot&)>> changes = {
      [](Snapshot& copy) { ++copy.time.nanoseconds; },
      [](Snapshot& copy) { copy.tree.bytes[0] ^= std::byte{1}; },
      [](Snapshot& copy) { copy.hostname = "db"; },
      [](Snapshot& copy) { copy.username = "bob"; },
      [](Snapshot& copy) { ++copy.uid; },
      [](Snapshot& copy) { ++copy.gid; },
      [](Snapshot& copy) { copy.paths.pop_back(); },
      [](Snapshot& copy) { copy.paths.back() = "/other"; },
      [](Snapshot& copy) { copy.tags.emplace_back("kept"); },
      [](Snapshot& copy) { copy.tags.back() = "kept"; },
      [](Snapshot& copy) {
        copy.excludes = {"cache", "*.tmp"};
      },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Snapshot copy = copied_form(source);
    changes[i](copy);
    EXPECT_EQ(CopiedSnapshots({copy}).find(source), std::nullopt) << i;
  }
}

TEST(CopiedSnapshots, TheOrderOfTagsAndPathsAndTheZoneDoNotCount) {
  const Snapshot source = snapshot('1');
  Snapshot copy = copied_form(source);
  copy.id = id_of('2');
  copy.tags = {"offsite", "daily"};
  copy.paths = {"/home", "/srv"};
  copy.time_offset_seconds = 0;
  copy.program_version = "restree";
  EXPECT_EQ(CopiedSnapshots({copy}).find(source), id_of('2'));
}

TEST(EndsBatch, AfterAHundredPacksOrFiveMinutes) {
  using std::chrono::minutes;
  constexpr std::size_t kPack = 16 << 20;
  EXPECT_FALSE(ends_batch(0, minutes(0), kPack));
  EXPECT_FALSE(ends_batch(99 * std::uint64_t{kPack}, minutes(4), kPack));
  EXPECT_TRUE(ends_batch(100 * std::uint64_t{kPack}, minutes(0), kPack));
  EXPECT_TRUE(ends_batch(0, minutes(5), kPack));
}

}  // namespace
}  // namespace restree
