#include "fs/namespace.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "repo/crypto/sha256.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Fields {
  std::string time = "2026-09-01T03:00:05Z";
  std::vector<std::string> tags = {};
  std::vector<std::string> paths = {"/srv/gitea"};
  std::string hostname = "nas";
  std::string id = "";  // tells snapshots with otherwise equal fields apart
};

std::shared_ptr<const Snapshot> snapshot(const Fields& fields) {
  Snapshot made;
  std::string all = fields.time + fields.hostname + fields.id;
  for (const auto& word : fields.tags) all += "," + word;
  for (const auto& word : fields.paths) all += ":" + word;
  made.id.bytes = sha256(as_bytes(all));
  made.time = *parse_timestamp(fields.time);
  made.tags = fields.tags;
  made.paths = fields.paths;
  made.hostname = fields.hostname;
  return std::make_shared<const Snapshot>(std::move(made));
}

using Snapshots = std::vector<std::shared_ptr<const Snapshot>>;

// A namespace and ways to look at it.
struct Space {
  explicit Space(const Snapshots& snapshots, const NamespaceOptions& options = {})
      : space(Namespace::build(snapshots, options)) {}

  // nullptr if there is no such path.
  const VirtualNode* at(const std::vector<std::string>& path) const {
    const VirtualNode* node = &space->root();
    for (const std::string& name : path) {
      if (node != nullptr) node = space->child(*node, name);
    }
    return node;
  }
  std::vector<std::string> names(const std::vector<std::string>& path) const {
    std::vector<std::string> names;
    if (const VirtualNode* node = at(path)) {
      for (const auto& [name, inode] : node->children) names.push_back(name);
    }
    return names;
  }
  std::string link(const std::vector<std::string>& path) const {
    const VirtualNode* node = at(path);
    return node == nullptr ? "nothing there" : node->target;
  }

  std::shared_ptr<const Namespace> space;
};

// --- layout -------------------------------------------------------------------------------------

TEST(Namespace, WithoutSnapshotsHasItsDirectories) {
  const Space space({});
  EXPECT_THAT(space.names({}), ElementsAre("apps", "hosts", "ids", "snapshots", "tags"));
  EXPECT_THAT(space.names({"apps"}), IsEmpty());
}

TEST(Namespace, ShowsASnapshotInEveryView) {
  const auto one = snapshot({.tags = {"app=gitea", "nightly"}});
  const Space space({one});
  EXPECT_THAT(space.names({"apps"}), ElementsAre("gitea"));
  EXPECT_THAT(space.names({"apps", "gitea"}), ElementsAre("2026-09-01T03-00-05Z", "latest"));
  EXPECT_THAT(space.names({"ids"}), ElementsAre(one->id.short_hex()));
  EXPECT_THAT(space.names({"snapshots"}), ElementsAre("2026-09-01T03-00-05Z", "latest"));
  EXPECT_THAT(space.names({"hosts", "nas"}), ElementsAre("2026-09-01T03-00-05Z", "latest"));
  EXPECT_THAT(space.names({"tags"}), ElementsAre("app=gitea", "nightly"));
  EXPECT_THAT(space.names({"tags", "nightly"}), ElementsAre("2026-09-01T03-00-05Z", "latest"));
}

TEST(Namespace, StripsTheLeadingPathInAppsOnly) {
  const auto one = snapshot({.tags = {"t"}});
  const Space space({one});
  const std::string time = "2026-09-01T03-00-05Z";
  EXPECT_TRUE(space.at({"apps", "gitea", time})->without_leading_path);
  EXPECT_FALSE(space.at({"ids", one->id.short_hex()})->without_leading_path);
  EXPECT_FALSE(space.at({"snapshots", time})->without_leading_path);
  EXPECT_FALSE(space.at({"hosts", "nas", time})->without_leading_path);
  EXPECT_FALSE(space.at({"tags", "t", time})->without_leading_path);
}

TEST(Namespace, HoldsTheSnapshotBehindEveryName) {
  const auto one = snapshot({});
  const Space space({one});
  const VirtualNode* node = space.at({"apps", "gitea", "2026-09-01T03-00-05Z"});
  EXPECT_EQ(node->kind, VirtualNode::Kind::kSnapshot);
  EXPECT_EQ(node->snapshot, one);
  EXPECT_EQ(node->path, "apps/gitea/2026-09-01T03-00-05Z");
  EXPECT_EQ(node->parent, space.at({"apps", "gitea"})->inode);
}

TEST(Namespace, ShowsATagThatWasGivenTwiceOnce) {
  const Space space({snapshot({.tags = {"t", "t"}})});
  EXPECT_THAT(space.names({"tags", "t"}), ElementsAre("2026-09-01T03-00-05Z", "latest"));
}

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

// --- latest -------------------------------------------------------------------------------------

TEST(Latest, PointsToTheNewestInEachView) {
  const Space space({snapshot({.time = "2026-09-03T03:00:05Z", .tags = {"app=a"}}),
                     snapshot({.time = "2026-09-02T03:00:05Z", .tags = {"app=b"}}),
                     snapshot({.time = "2026-09-01T03:00:05Z", .tags = {"app=b"}})});
  EXPECT_EQ(space.link({"snapshots", "latest"}), "2026-09-03T03-00-05Z");
  EXPECT_EQ(space.link({"apps", "a", "latest"}), "2026-09-03T03-00-05Z");
  EXPECT_EQ(space.link({"apps", "b", "latest"}), "2026-09-02T03-00-05Z");
  EXPECT_EQ(space.link({"tags", "app=b", "latest"}), "2026-09-02T03-00-05Z");
  EXPECT_EQ(space.link({"hosts", "nas", "latest"}), "2026-09-03T03-00-05Z");
}

TEST(Latest, KnowsTheInodeOfWhatItPointsTo) {
  const Space space({snapshot({}), snapshot({.id = "same second"})});
  EXPECT_EQ(space.at({"snapshots", "latest"})->target_inode,
            space.at({"snapshots", space.link({"snapshots", "latest"})})->inode);
}

TEST(Latest, IsNotAmongTheIds) { EXPECT_EQ(Space({snapshot({})}).at({"ids", "latest"}), nullptr); }

TEST(Latest, IsAnotherInodeOnceItPointsElsewhere) {
  const auto old = snapshot({});
  const Space before({old});
  const Space after({old, snapshot({.time = "2026-09-02T03:00:05Z"})});
  EXPECT_NE(before.at({"snapshots", "latest"})->inode, after.at({"snapshots", "latest"})->inode);
  EXPECT_EQ(before.at({"snapshots", "latest"})->inode,
            Space({old}).at({"snapshots", "latest"})->inode);
}

TEST(Latest, OfManySnapshotsLeavesNoStrayBehind) {
  Snapshots list;
  for (int i = 10; i < 30; ++i) {
    list.push_back(snapshot({.time = "2026-09-" + std::to_string(i) + "T00:00:00Z"}));
  }
  std::size_t links = 0;
  Space(list).space->for_each(
      [&](const VirtualNode& node) { links += node.kind == VirtualNode::Kind::kSymlink ? 1 : 0; });
  EXPECT_EQ(links, 3U);  // of the app, of the host, of snapshots/
}

TEST(DirectoryTimes, AreThoseOfTheNewestSnapshotInside) {
  const Space space({snapshot({.time = "2026-09-03T03:00:05Z", .tags = {"app=a"}}),
                     snapshot({.time = "2026-09-01T03:00:05Z", .tags = {"app=b"}})});
  EXPECT_EQ(space.at({"apps", "b"})->time, *parse_timestamp("2026-09-01T03:00:05Z"));
  EXPECT_EQ(space.at({"apps"})->time, *parse_timestamp("2026-09-03T03:00:05Z"));
  EXPECT_EQ(space.at({})->time, *parse_timestamp("2026-09-03T03:00:05Z"));
}

// --- filters ------------------------------------------------------------------------------------

class Filters : public ::testing::Test {
 protected:
  // How many of the three snapshots are shown.
  std::size_t shown() const { return Space(all_, options_).names({"ids"}).size(); }

  const Snapshots all_{snapshot({.tags = {"a", "b"}, .paths = {"/x", "/y"}, .hostname = "one"}),
                       snapshot({.tags = {"b", "c"}, .paths = {"/x"}, .hostname = "two"}),
                       snapshot({.tags = {}, .paths = {"/z"}, .hostname = "two"})};
  NamespaceOptions options_;
};

TEST_F(Filters, ThatAreNotGivenShowAll) { EXPECT_EQ(shown(), 3U); }

TEST_F(Filters, ByHostShowAnyOfTheHosts) {
  options_.filter.hosts = {"two"};
  EXPECT_EQ(shown(), 2U);
  options_.filter.hosts = {"two", "one"};
  EXPECT_EQ(shown(), 3U);
  options_.filter.hosts = {"three"};
  EXPECT_EQ(shown(), 0U);
}

TEST_F(Filters, ByTagShowSnapshotsWithAllTagsOfAnyList) {
  options_.filter.tag_lists = {{"b"}};
  EXPECT_EQ(shown(), 2U);
  options_.filter.tag_lists = {{"a", "b"}};
  EXPECT_EQ(shown(), 1U);
  options_.filter.tag_lists = {{"a", "b"}, {"c"}};
  EXPECT_EQ(shown(), 2U);
  options_.filter.tag_lists = {{"a", "c"}};
  EXPECT_EQ(shown(), 0U);
}

TEST_F(Filters, ByTheEmptyTagShowSnapshotsWithoutTags) {
  options_.filter.tag_lists = {{""}};
  EXPECT_EQ(shown(), 1U);
  options_.filter.tag_lists = {{""}, {"a"}};
  EXPECT_EQ(shown(), 2U);
}

TEST_F(Filters, ByPathShowSnapshotsWithAllOfThePaths) {
  options_.filter.paths = {"/x"};
  EXPECT_EQ(shown(), 2U);
  options_.filter.paths = {"/x", "/y"};
  EXPECT_EQ(shown(), 1U);
}

TEST_F(Filters, OfDifferentKindsHaveToAgree) {
  options_.filter.hosts = {"two"};
  options_.filter.paths = {"/x"};
  EXPECT_EQ(shown(), 1U);
}

TEST_F(Filters, LeaveNoEmptyDirectoriesOfHiddenSnapshots) {
  options_.filter.hosts = {"one"};
  const Space space(all_, options_);
  EXPECT_THAT(space.names({"hosts"}), ElementsAre("one"));
  EXPECT_THAT(space.names({"tags"}), ElementsAre("a", "b"));
}

// --- inodes -------------------------------------------------------------------------------------

TEST(VirtualInodes, AreTheSameHoweverOftenTheNamespaceIsBuilt) {
  const auto a = snapshot({.id = "a"});
  const auto b = snapshot({.time = "2026-09-02T03:00:05Z", .tags = {"app=x"}});
  const Space before({a});
  const Space after({b, a});
  before.space->for_each([&](const VirtualNode& node) {
    if (node.kind == VirtualNode::Kind::kSymlink) return;
    const VirtualNode* same = after.space->find(node.inode);
    ASSERT_NE(same, nullptr) << node.path;
    EXPECT_EQ(same->path, node.path);
    EXPECT_EQ(same->snapshot, node.snapshot);
  });
}

TEST(VirtualInodes, AreUniqueAndLeadBackToTheirParents) {
  Snapshots list;
  for (int i = 0; i < 200; ++i) {
    list.push_back(snapshot({.tags = {"app=" + std::to_string(i % 7), "t", "t" + std::to_string(i)},
                             .hostname = "host " + std::to_string(i % 3),
                             .id = std::to_string(i)}));
  }
  const Space space(list);
  std::set<std::uint64_t> inodes;
  std::size_t children = 0;
  space.space->for_each([&](const VirtualNode& node) {
    EXPECT_TRUE(inodes.insert(node.inode).second);
    EXPECT_EQ(space.space->find(node.inode), &node);
    for (const auto& [name, inode] : node.children) {
      ++children;
      ASSERT_NE(space.space->find(inode), nullptr);
      EXPECT_EQ(space.space->find(inode)->parent, node.inode);
    }
  });
  EXPECT_EQ(children + 1, inodes.size());  // every node but the root is someone's child, once
}

TEST(VirtualInodes, OfASnapshotFollowItWhenItsNameChanges) {
  const auto a = snapshot({.id = "a"});
  const auto b = snapshot({.id = "b"});
  const auto& first = a->id < b->id ? a : b;
  const auto& second = a->id < b->id ? b : a;
  const Space both({first, second});
  const Space one({second});
  EXPECT_EQ(both.at({"snapshots", "2026-09-01T03-00-05Z-1"})->inode,
            one.at({"snapshots", "2026-09-01T03-00-05Z"})->inode);
}

TEST(VirtualInodes, OfASnapshotStayWhenItsTagsChange) {
  Snapshot before = *snapshot({.tags = {"app=wiki", "t"}});
  before.tree = BlobId{{std::byte{1}}};
  Snapshot tagged = *snapshot({.tags = {"app=wiki", "t", "kept"}});
  tagged.tree = before.tree;
  tagged.original = before.id;
  ASSERT_NE(tagged.id, before.id);
  const std::string time = "2026-09-01T03-00-05Z";
  const auto inodes = [&](const Snapshot& shown) {
    const Space space({std::make_shared<const Snapshot>(shown)});
    return std::vector<std::uint64_t>{
        space.at({"apps", "wiki", time})->inode, space.at({"snapshots", time})->inode,
        space.at({"hosts", "nas", time})->inode, space.at({"tags", "t", time})->inode,
        space.at({"ids", shown.id.short_hex()})->inode};
  };
  EXPECT_EQ(inodes(before), inodes(tagged));
  // A rewritten snapshot shows another tree.
  tagged.tree = BlobId{{std::byte{2}}};
  EXPECT_NE(inodes(before), inodes(tagged));
  tagged.tree = before.tree;
  tagged.paths = {"/srv"};
  EXPECT_NE(inodes(before), inodes(tagged));
}

TEST(VirtualInodes, OfASnapshotAndItsCopyUnderOtherTagsDiffer) {
  const auto before = snapshot({});
  Snapshot copy = *snapshot({.tags = {"kept"}});
  copy.original = before->id;
  const Space space({before, std::make_shared<const Snapshot>(copy)});
  EXPECT_NE(space.at({"ids", before->id.short_hex()})->inode,
            space.at({"ids", copy.id.short_hex()})->inode);
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
    names.push_back(std::string(length, 'x'));
    names.push_back(std::string(length, 'x') + "y");
    names.push_back(std::string(length, '/'));
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
