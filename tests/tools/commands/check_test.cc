// What `check` says about damage and about readings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/matchers.h"
#include "tools/commands/checking.h"
#include "tools/commands/damage_report.h"

namespace restree {
namespace {

using ::testing::HasSubstr;
using testing::value_of;

constexpr std::int64_t kDay = 24 * 3600;

TEST(Readings, AreSaidByTheOldestAndThoseThatLack) {
  constexpr std::int64_t kNow = 1'800'000'000;
  EXPECT_EQ(ages_text({.packs = 5, .never_read = 0, .oldest = kNow - 40 * kDay}, kNow),
            "all packs were read on this machine, the oldest 40 days ago");
  EXPECT_EQ(ages_text({.packs = 5, .never_read = 2, .oldest = kNow - 7300}, kNow),
            "2 of 5 packs were never read on this machine, the oldest of the others 2 hours ago");
  EXPECT_EQ(ages_text({.packs = 5, .never_read = 5}, kNow),
            "5 of 5 packs were never read on this machine");
  EXPECT_EQ(ages_text({.packs = 1, .never_read = 0, .oldest = kNow + 5}, kNow),
            "all packs were read on this machine, the oldest less than two minutes ago");
}

TEST(Subsets, TheOldestAreChosenByTimeOrBySize) {
  const PackSubset timed = value_of(parse_pack_subset("oldest:1h30m"));
  EXPECT_EQ(timed.kind, PackSubset::Kind::kOldestTime);
  EXPECT_EQ(timed.time, std::chrono::minutes(90));
  EXPECT_EQ(value_of(parse_pack_subset("oldest:30m")).time, std::chrono::minutes(30));
  EXPECT_FALSE(Deadline::after(value_of(parse_pack_subset("oldest:2562047h")).time).expired());
  EXPECT_EQ(value_of(parse_pack_subset("oldest:30M")).bytes, 30U << 20);
  EXPECT_EQ(value_of(parse_pack_subset("1/3")).kind, PackSubset::Kind::kGroup);
  for (const char* bad : {"oldest:-1h", "oldest:0s", "1h", "oldest:"}) {
    EXPECT_FALSE(parse_pack_subset(bad)) << bad;
  }
}

SnapshotId id(unsigned char number) {
  SnapshotId id;
  id.bytes.fill(std::byte{number});
  return id;
}

TEST(Hits, NameAppsSnapshotsAndPathsAndCountTheRest) {
  HitApp app{.name = "db", .hit = 14, .snapshots = 20, .groups = {}};
  HitSnapshots group{.ids = {}, .newest = {{0, 0}, 3600}, .paths = {"/a", "/b\n"}, .path_count = 7};
  for (unsigned char i = 1; i <= 12; ++i) group.ids.push_back(id(i));
  app.groups.push_back(group);
  const std::string text = hits_text({app});
  EXPECT_THAT(text, HasSubstr("app db: 14 of 20 snapshots\n  snapshots 01010101 02020202 "));
  EXPECT_THAT(text, HasSubstr(" 0a0a0a0a and 2 more (the newest of 1970-01-01T01:00:00+01:00):\n"
                              "    /a\n    \"/b\\n\"\n    and 5 more\n"
                              "  and 2 older snapshots, with other files\n"));
}

TEST(Hits, WithoutAnyItSaysSo) {
  EXPECT_THAT(hits_text({}), HasSubstr("No snapshot that was checked needs what is damaged"));
}

TEST(Hits, OfWhatIsOnlyInNoIndexMayBeFound) {
  const HitApp app{.name = "db", .hit = 1, .snapshots = 1, .groups = {}};
  EXPECT_THAT(hits_text({app}, true),
              HasSubstr("cannot be restored whole, unless the repair finds what they need:\n"));
  EXPECT_THAT(hits_text({app}), HasSubstr("cannot be restored whole:\n"));
}

TEST(Hits, OfBlobsThatTheIndexMisplacesNothingIsLost) {
  EXPECT_EQ(misplaced_text(0), "");
  EXPECT_THAT(misplaced_text(1), HasSubstr("place of 1 blob, which is whole: it can be read once"));
  EXPECT_THAT(misplaced_text(2), HasSubstr("places of 2 blobs, which are whole: they can be read"));
}

TEST(Hits, ManyAppsAreCounted) {
  std::vector<HitApp> apps(25, HitApp{.name = "x", .hit = 1, .snapshots = 1, .groups = {}});
  EXPECT_THAT(hits_text(apps), HasSubstr("\nand 5 more\n"));
}

}  // namespace
}  // namespace restree
