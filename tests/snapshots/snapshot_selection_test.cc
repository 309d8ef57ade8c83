#include "repo/snapshots/snapshot_selection.h"

#include <gmock/gmock.h>

#include <map>

#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using testing::BuiltSnapshot;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::soon;
using ::testing::StartsWith;
using testing::value_of;

// Three snapshots of two hosts, a day between them.
class SnapshotSelection : public ::testing::Test {
 protected:
  SnapshotSelection() {
    auto& builder = memory_.builder();
    const BlobId inner = builder.add_tree({testing::file_node("f", {}, 0)});
    root_ = builder.add_tree({testing::folder_node("srv", inner)});
    for (int day = 1; day <= 3; ++day) {
      const std::string time = "2026-09-0" + std::to_string(day) + "T00:00:00Z";
      ids_.push_back(builder.add_snapshot(
          root_, {.time = time, .paths = {"/srv"}, .tags = {}, .hostname = day == 3 ? "b" : "a"}));
    }
    inner_ = inner;
    builder.finish();
    repository_ = memory_.open();
  }

  std::vector<std::string> select(const std::vector<std::string>& words,
                                  const SnapshotFilter& filter = {}) {
    std::vector<std::string> found;
    const auto on_ignored = [&](const std::string& what, const Error& why) {
      ignored_.push_back(what + ": " + why.message());
    };
    for (const auto& snapshot :
         value_of(select_snapshots(*repository_, words, filter, soon(), on_ignored))) {
      found.push_back(snapshot.id.short_hex());
    }
    return found;
  }
  Result<SelectedSnapshot> select_one(const std::string& word, const SnapshotFilter& filter = {}) {
    return select_snapshot(*repository_, word, filter, soon());
  }

  testing::MemoryRepository memory_;
  BlobId root_;
  BlobId inner_;
  std::vector<std::string> ids_;  // the oldest first
  std::unique_ptr<Repository> repository_;
  std::vector<std::string> ignored_;
};

TEST_F(SnapshotSelection, WithoutWordsIsAllThatTheFilterLetsPassTheOldestFirst) {
  EXPECT_THAT(select({}), ElementsAre(ids_[0], ids_[1], ids_[2]));
  EXPECT_THAT(select({}, {.hosts = {"a"}}), ElementsAre(ids_[0], ids_[1]));
  EXPECT_THAT(ignored_, IsEmpty());
}

TEST_F(SnapshotSelection, WordsAreTakenInTheirOrderAndEachOnce) {
  EXPECT_THAT(select({ids_[1], "latest", ids_[1], ids_[2]}), ElementsAre(ids_[1], ids_[2]));
}

TEST_F(SnapshotSelection, AWordThatNamesNoSnapshotIsIgnoredWithAReason) {
  EXPECT_THAT(select({"x", ids_[0], ids_[1] + ":srv", "latest:srv"}), ElementsAre(ids_[0]));
  EXPECT_THAT(ignored_, ElementsAre("x: no matching ID found for prefix \"x\"",
                                    HasSubstr("<snapshot>:<subfolder> syntax not allowed"),
                                    HasSubstr("<snapshot>:<subfolder> syntax not allowed")));
}

TEST_F(SnapshotSelection, AnUnusedFilterIsReported) {
  EXPECT_THAT(select({ids_[2]}, {.hosts = {"a"}}), ElementsAre(ids_[2]));
  EXPECT_THAT(ignored_, ElementsAre("filters: explicit snapshot ids are given"));
}

TEST_F(SnapshotSelection, LatestIsTheNewestThatTheFilterLetsPass) {
  EXPECT_EQ(value_of(select_one("latest")).snapshot.id.short_hex(), ids_[2]);
  EXPECT_EQ(value_of(select_one("latest", {.hosts = {"a"}})).snapshot.id.short_hex(), ids_[1]);
  EXPECT_THAT(select_one("latest", {.hosts = {"c"}}), FailsWith(ErrorKind::kInvalid));
}

TEST_F(SnapshotSelection, LatestIsNoSnapshotOfTheFutureWhereThereIsAnother) {
  const auto add = [&](const char* time) {
    return memory_.builder().add_snapshot(root_,
                                          {.time = time, .paths = {"/srv"}, .hostname = "f"});
  };
  const std::string future = add("2999-01-01T00:00:00Z");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(value_of(select_one("latest")).snapshot.id.short_hex(), ids_[2]);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::AllOf(HasSubstr(future), HasSubstr("2999-01-01"), HasSubstr(ids_[2])));
  EXPECT_EQ(value_of(select_one(future)).snapshot.id.short_hex(), future);
  // The clock of this machine may be the one that is wrong.
  const std::string later = add("2999-01-02T00:00:00Z");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(value_of(select_one("latest", {.hosts = {"f"}})).snapshot.id.short_hex(), later);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("clock of this machine"));
}

TEST_F(SnapshotSelection, TheLatestIsLookedForByCleanPaths) {
  const auto latest = [&](const std::string& path) {
    return value_of(find_latest(*repository_, {.paths = {path}}, std::nullopt, soon()));
  };
  EXPECT_TRUE(latest("/srv").has_value());
  EXPECT_TRUE(latest("//srv/x/..//").has_value());
  EXPECT_FALSE(latest("srv/x").has_value());
}

TEST_F(SnapshotSelection, LatestUpToAMomentIsTheParentOfABackupThen) {
  const Timestamp second = *parse_timestamp("2026-09-02T00:00:00Z");
  const auto latest = value_of(find_latest(*repository_, {}, second, soon()));
  EXPECT_EQ(latest.value().id.short_hex(), ids_[1]);
  EXPECT_FALSE(value_of(find_latest(*repository_, {}, Timestamp{}, soon())).has_value());
}

TEST_F(SnapshotSelection, AColonLeadsToAFolder) {
  const auto selected = value_of(select_one("latest:/srv/"));
  EXPECT_EQ(selected.subfolder, "/srv/");
  EXPECT_EQ(value_of(find_subfolder(*repository_, root_, selected.subfolder, soon())), inner_);
  EXPECT_EQ(value_of(find_subfolder(*repository_, root_, "", soon())), root_);
  EXPECT_THAT(find_subfolder(*repository_, root_, "no", soon()), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(find_subfolder(*repository_, root_, "srv/f", soon()), FailsWith(ErrorKind::kInvalid));
}

TEST_F(SnapshotSelection, AnUnreadableSnapshotKeepsNobodyFromTheLatestThatCanBeRead) {
  const std::string bad = memory_.builder().add_sealed(FileType::kSnapshot, "{}");
  EXPECT_THAT(select({}), SizeIs(3));
  EXPECT_THAT(ignored_, ElementsAre(StartsWith(bad)));
  EXPECT_OK(select_one("latest"));
  EXPECT_THAT(select({"latest"}), IsEmpty()) << "what changes snapshots does not guess";
}

TEST(FindByPrefix, MustFitOneName) {
  const std::vector<std::string> names = {"abc", "abd"};
  EXPECT_EQ(value_of(find_by_prefix(names, "abd")), "abd");
  EXPECT_THAT(find_by_prefix(names, "ab").error().message(),
              "multiple IDs with prefix \"ab\" found");
  EXPECT_THAT(find_by_prefix(names, "").error().message(), HasSubstr("multiple"));
  EXPECT_THAT(find_by_prefix(names, "c").error().message(),
              "no matching ID found for prefix \"c\"");
}

}  // namespace
}  // namespace restree
