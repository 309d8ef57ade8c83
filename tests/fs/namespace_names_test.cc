// The names in a namespace: of apps, and of snapshots by their times; and how characters that a
// directory cannot hold are escaped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fs/namespace.h"
#include "repo/snapshots/app_names.h"
#include "tests/fs/built_namespace.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::snapshot;
using testing::Snapshots;
using testing::Space;

// --- apps ---------------------------------------------------------------------------------------

TEST(Apps, AreNamedByMaintainerAndApp) {
  EXPECT_EQ(app_of(*snapshot({.tags = {"version=1", "maintainer=acme", "app=wiki"}})), "acme_wiki");
  EXPECT_EQ(app_of(*snapshot({.tags = {"app=wiki"}})), "wiki");
}

TEST(Apps, WithoutTagAreNamedByTheFirstPath) {
  EXPECT_EQ(app_of(*snapshot({.paths = {"/srv/gitea", "/etc"}})), "gitea");
  EXPECT_EQ(app_of(*snapshot({.paths = {"/srv/gitea/"}})), "gitea");
  EXPECT_EQ(app_of(*snapshot({.paths = {"gitea/."}})), "gitea");
  EXPECT_EQ(app_of(*snapshot({.tags = {"maintainer=acme"}})), "gitea");
  EXPECT_EQ(app_of(*snapshot({.tags = {"app="}})), "gitea");
}

TEST(Apps, OfTheRootAndOfNothingAreCalledRoot) {
  EXPECT_EQ(app_of(*snapshot({.paths = {"/"}})), "root");
  EXPECT_EQ(app_of(*snapshot({.paths = {"."}})), "root");
  EXPECT_EQ(app_of(*snapshot({.paths = {}})), "root");
}

TEST(Apps, CarryTheVersionBehindTheTime) {
  const Space space({snapshot({.tags = {"app=wiki", "version=1.21.3"}}),
                     snapshot({.time = "2026-09-02T03:00:05Z", .tags = {"app=wiki"}}),
                     snapshot({.time = "2026-09-03T03:00:05Z", .tags = {"app=wiki", "version="}})});
  EXPECT_THAT(space.names({"apps", "wiki"}),
              ElementsAre("2026-09-01T03-00-05Z_1.21.3", "2026-09-02T03-00-05Z",
                          "2026-09-03T03-00-05Z", "latest"));
  EXPECT_THAT(space.names({"snapshots"}),
              ElementsAre("2026-09-01T03-00-05Z", "2026-09-02T03-00-05Z", "2026-09-03T03-00-05Z",
                          "latest"));
}

TEST(Apps, EscapeWhatAVersionMustNotHold) {
  const Space space({snapshot({.tags = {"app=wiki", "version=1/2\n"}})});
  EXPECT_THAT(space.names({"apps", "wiki"}),
              ElementsAre("2026-09-01T03-00-05Z_1%2F2%0A", "latest"));
}

TEST(Apps, OfHostileNamesStayInTheirDirectory) {
  const Space space({snapshot({.tags = {"app=../../etc"}}), snapshot({.tags = {"app=.."}}),
                     snapshot({.tags = {"app=."}})});
  EXPECT_THAT(space.names({"apps"}), ElementsAre("%2E", "%2E%2E", "..%2F..%2Fetc"));
}

// --- names in time ------------------------------------------------------------------------------

TEST(SnapshotNames, OfEqualTimesAreNumbered) {
  const Space space({snapshot({.id = "a"}), snapshot({.id = "b"}), snapshot({.id = "c"})});
  EXPECT_THAT(space.names({"snapshots"}),
              ElementsAre("2026-09-01T03-00-05Z", "2026-09-01T03-00-05Z-1",
                          "2026-09-01T03-00-05Z-2", "latest"));
  std::set<std::shared_ptr<const Snapshot>> shown;
  for (const auto& name : space.names({"snapshots"})) {
    if (name != "latest") shown.insert(space.at({"snapshots", name})->snapshot);
  }
  EXPECT_THAT(shown, SizeIs(3));
}

TEST(SnapshotNames, OfEqualTimesDoNotDependOnTheOrderOfTheList) {
  Snapshots list{snapshot({.id = "a"}), snapshot({.id = "b"}), snapshot({.id = "c"})};
  const Space space(list);
  std::reverse(list.begin(), list.end());
  const Space other(list);
  for (const auto& name : space.names({"snapshots"})) {
    EXPECT_EQ(space.at({"snapshots", name})->snapshot, other.at({"snapshots", name})->snapshot);
  }
}

TEST(SnapshotNames, OfEqualSecondsAreOrderedByTheirFraction) {
  const Space space(
      {snapshot({.time = "2026-09-01T03:00:05.9Z"}), snapshot({.time = "2026-09-01T03:00:05.1Z"})});
  EXPECT_EQ(space.at({"snapshots", "2026-09-01T03-00-05Z"})->time.nanoseconds, 100'000'000U);
  EXPECT_EQ(space.link({"snapshots", "latest"}), "2026-09-01T03-00-05Z-1");
}

TEST(SnapshotNames, AreInUtcWhateverZoneTheyWereMadeIn) {
  const Space space({snapshot({.time = "2026-09-01T01:30:00+02:00"})});
  EXPECT_THAT(space.names({"snapshots"}), ElementsAre("2026-08-31T23-30-00Z", "latest"));
}

TEST(SnapshotNames, FollowTheTemplate) {
  NamespaceOptions options;
  options.time_template = "%Y/%m";
  const Space space({snapshot({.tags = {"version=2"}})}, options);
  EXPECT_THAT(space.names({"snapshots"}), ElementsAre("2026%2F09", "latest"));
  EXPECT_THAT(space.names({"apps", "gitea"}), ElementsAre("2026%2F09_2", "latest"));
}

TEST(SnapshotNames, ThatATemplateMakesEqualAreNumbered) {
  NamespaceOptions options;
  options.time_template = "backup";
  const Space space({snapshot({}), snapshot({.time = "2026-09-02T03:00:05Z"})}, options);
  EXPECT_THAT(space.names({"snapshots"}), ElementsAre("backup", "backup-1", "latest"));
}

TEST(SnapshotNames, AreNeverLatestNorEmpty) {
  NamespaceOptions options;
  options.time_template = "latest";
  EXPECT_THAT(Space({snapshot({})}, options).names({"snapshots"}),
              ElementsAre("latest", "latest-1"));
  options.time_template = "";
  EXPECT_THAT(Space({snapshot({})}, options).names({"snapshots"}), ElementsAre("%", "latest"));
}

TEST(SnapshotNames, AreShortEnoughForADirectoryAlsoWhenNumbered) {
  const std::string version = "version=" + std::string(400, 'v');
  const Space space({snapshot({.tags = {version}, .id = "a"}), snapshot({.tags = {version}}),
                     snapshot({.tags = {version}, .id = "c"})});
  const auto names = space.names({"apps", "gitea"});
  EXPECT_THAT(names, SizeIs(4));
  for (const auto& name : names) EXPECT_LE(name.size(), 255U);
}

TEST(SnapshotNames, OfShortIdsThatAreEqualAreNumbered) {
  Snapshot a = *snapshot({.id = "a"});
  Snapshot b = a;
  b.id.bytes[31] = ~b.id.bytes[31];
  const Space space({std::make_shared<Snapshot>(a), std::make_shared<Snapshot>(b)});
  EXPECT_THAT(space.names({"ids"}), ElementsAre(a.id.short_hex(), a.id.short_hex() + "-1"));
}

TEST(FormatTime, WorksForEveryYear) {
  EXPECT_EQ(format_time(*parse_timestamp("1969-12-31T23:59:59Z"), "%Y-%m-%d %S"), "1969-12-31 59");
  EXPECT_EQ(format_time(*parse_timestamp("0001-01-01T00:00:00Z"), "%m"), "01");
  EXPECT_EQ(format_time(*parse_timestamp("9999-12-31T00:00:00Z"), "%Y"), "9999");
  EXPECT_EQ(format_time({0, 0}, ""), std::nullopt);
}

// --- escaping -----------------------------------------------------------------------------------

TEST(EntryName, KeepsCharactersThatADirectoryCanHold) {
  for (const char* name : {"gitea", "a b", "...", ".hidden", "ümläut", "back\\slash", "a:b", "😀"}) {
    EXPECT_EQ(entry_name(name), name);
  }
  EXPECT_EQ(entry_name("\xff\xfe"), "\xff\xfe");
  EXPECT_EQ(entry_name(std::string(255, 'x')), std::string(255, 'x'));
}

TEST(EntryName, EscapesCharactersThatADirectoryCannotHold) {
  EXPECT_EQ(entry_name("a/b"), "a%2Fb");
  EXPECT_EQ(entry_name(std::string_view("a\0b\n\x7f", 5)), "a%00b%0A%7F");
  EXPECT_EQ(entry_name("100%"), "100%25");
  EXPECT_EQ(entry_name("."), "%2E");
  EXPECT_EQ(entry_name(".."), "%2E%2E");
  EXPECT_EQ(entry_name(""), "%");
}

TEST(EntryName, MakesNoTwoNamesOne) {
  std::vector<std::string> names{"",    ".",   "..",  "%",     "%%",    "%2E", "%2E%2E",
                                 "%2e", "/",   "%2F", "%252F", "a",     "a/",  "a%2F",
                                 "\n",  "%0A", "%~",  "%25",   "latest"};
  for (const std::size_t length : {254U, 255U, 256U, 257U, 400U}) {
    names.emplace_back(length, 'x');
    names.push_back(std::string(length, 'x') + "y");
    names.emplace_back(length, '/');
    names.push_back(std::string(length, 'x') + "%~0123456789abcdef");
  }
  std::set<std::string> originals(names.begin(), names.end());
  std::set<std::string> entries;
  for (const auto& name : originals) {
    const std::string entry = entry_name(name);
    EXPECT_LE(entry.size(), 255U);
    EXPECT_EQ(entry.find_first_of(std::string("/\0", 2)), std::string::npos);
    entries.insert(entry);
  }
  EXPECT_EQ(entries.size(), originals.size());
}

TEST(CommonFolder, IsTheLongestThatHoldsAllTargets) {
  using Paths = std::vector<std::string>;
  EXPECT_THAT(common_folder(Paths{"/srv/a"}), ElementsAre("srv", "a"));
  EXPECT_THAT(common_folder(Paths{"/srv/a", "/srv/b"}), ElementsAre("srv"));
  EXPECT_THAT(common_folder(Paths{"/srv/a", "/srv/a/b"}), ElementsAre("srv", "a"));
  EXPECT_THAT(common_folder(Paths{"/srv/a/b", "/srv/a"}), ElementsAre("srv", "a"));
  EXPECT_THAT(common_folder(Paths{"/srv/ab", "/srv/a"}), ElementsAre("srv"));
  EXPECT_THAT(common_folder(Paths{"/a", "/b"}), IsEmpty());
  EXPECT_THAT(common_folder(Paths{"/"}), IsEmpty());
  EXPECT_THAT(common_folder(Paths{}), IsEmpty());
  EXPECT_THAT(common_folder(Paths{"//srv/./a//"}), ElementsAre("srv", "a"));
}

}  // namespace
}  // namespace restree
