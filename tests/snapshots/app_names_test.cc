// Which snapshot APP[:SNAPSHOT] means.
#include "repo/snapshots/app_names.h"

#include <algorithm>
#include <tuple>

#include "repo/crypto/sha256.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::value_of;

class AppSnapshot : public ::testing::Test {
 protected:
  SnapshotId add(const std::string& time, std::vector<std::string> tags) {
    Snapshot made;
    made.id.bytes = sha256(as_bytes(std::to_string(snapshots_.size())));
    made.time = *parse_timestamp(time);
    made.tags = std::move(tags);
    snapshots_.push_back(made);
    std::ranges::sort(snapshots_, {}, [](const Snapshot& s) { return std::tie(s.time, s.id); });
    return made.id;
  }
  Result<SnapshotId> find(std::string_view words) const {
    const auto found = find_app_snapshot(snapshots_, words, std::string(kDefaultTimeTemplate));
    if (!found) return found.error();
    return found->id;
  }

  std::vector<Snapshot> snapshots_;
};

TEST_F(AppSnapshot, IsTheNewestOfItsAppUnlessOneIsNamed) {
  const auto newer = add("2026-09-02T03:00:00Z", {"app=wiki", "version=2"});
  const auto older = add("2026-09-01T03:00:00Z", {"app=wiki", "version=1"});
  add("2026-09-03T03:00:00Z", {"app=gitea"});
  EXPECT_EQ(value_of(find("wiki")), newer);
  EXPECT_EQ(value_of(find("wiki:")), newer);
  EXPECT_EQ(value_of(find("wiki:latest")), newer);
  EXPECT_EQ(value_of(find("wiki:2026-09-01T03-00-00Z_1")), older);
  EXPECT_EQ(value_of(find("wiki:" + older.short_hex())), older);
  EXPECT_EQ(value_of(find("wiki:" + older.hex())), older);
}

TEST_F(AppSnapshot, OfEqualTimesHasTheNumberThatTheMountGivesIt) {
  const auto one = add("2026-09-01T03:00:00Z", {"app=wiki"});
  const auto two = add("2026-09-01T03:00:00Z", {"app=wiki"});
  EXPECT_EQ(value_of(find("wiki:2026-09-01T03-00-00Z")), std::min(one, two));
  EXPECT_EQ(value_of(find("wiki:2026-09-01T03-00-00Z-1")), std::max(one, two));
  EXPECT_EQ(value_of(find("wiki")), std::max(one, two));
}

TEST_F(AppSnapshot, OfAnAppWithAColonInItsName) {
  const auto plain = add("2026-09-01T03:00:00Z", {"app=a"});
  const auto colon = add("2026-09-02T03:00:00Z", {"app=a:b"});
  EXPECT_EQ(value_of(find("a")), plain);
  EXPECT_EQ(value_of(find("a:b")), colon);
  EXPECT_EQ(value_of(find("a:b:latest")), colon);
  EXPECT_EQ(value_of(find("a:latest")), plain);
}

TEST_F(AppSnapshot, OfUntaggedBackupsIsOfOneSource) {
  const auto backup_of = [&](const std::string& time, const std::string& path) {
    const SnapshotId id = add(time, {});
    std::ranges::find(snapshots_, id, &Snapshot::id)->paths = {path};
    return id;
  };
  backup_of("2026-09-01T03:00:00Z", "/srv/wiki/data");
  const auto wiki = backup_of("2026-09-02T03:00:00Z", "/srv/wiki/data");
  EXPECT_EQ(value_of(find("data")), wiki);
  const auto forge = backup_of("2026-09-03T03:00:00Z", "/srv/forge/data");
  const auto two_apps = find("data");
  EXPECT_THAT(two_apps, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(two_apps.error().for_people(), HasSubstr("data@+srv+forge, data@+srv+wiki"));
  EXPECT_EQ(value_of(find("data@+srv+wiki")), wiki);
  EXPECT_EQ(value_of(find("data@+srv+forge:latest")), forge);
}

TEST_F(AppSnapshot, AMissingOneIsReportedWithThoseThatExist) {
  add("2026-09-01T03:00:00Z", {"app=wiki"});
  const auto no_app = find("wik");
  EXPECT_THAT(no_app, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(no_app.error().for_people(), HasSubstr("Known names: wiki"));
  for (const char* words : {"", "wiki2", "wikis:latest", "wiki:2026", "wiki:2026-09-01T03-00-00Z-1",
                            "wiki:2", "wiki:latest2"}) {
    EXPECT_THAT(find(words), FailsWith(ErrorKind::kInvalid)) << words;
  }
  EXPECT_THAT(find("wiki:2026").error().for_people(), HasSubstr("2026-09-01T03-00-00Z"));
}

}  // namespace
}  // namespace restree
