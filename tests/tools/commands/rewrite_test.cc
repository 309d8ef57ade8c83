// restree rewrite
#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/locks.h"
#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::Outcome;
using ::testing::SizeIs;
using testing::soon;
using ::testing::StartsWith;
using testing::value_of;

class Rewrite : public ::testing::Test {
 protected:
  Outcome rewrite(std::vector<std::string> words) {
    words.insert(words.begin(), "rewrite");
    return repository_.run(words);
  }
  std::string refusal(const std::vector<std::string>& words) {
    const Outcome outcome = rewrite(words);
    EXPECT_EQ(outcome.code, ExitCode::kFailure);
    return outcome.err;
  }
  std::vector<Snapshot> snapshots() {
    const auto repository = repository_.memory.open();
    std::vector<Snapshot> all;
    for (const SnapshotId& id : value_of(repository->list_snapshots(soon()))) {
      all.push_back(value_of(repository->load_snapshot(id, soon())));
    }
    std::ranges::sort(all, {}, &Snapshot::time);
    return all;
  }

  testing::TwoSnapshots repository_;
};

TEST_F(Rewrite, SaysWhatItDoesInResticsWords) {
  const Outcome done = rewrite({"--forget", "-e", "g.txt", "--new-host", "n", "--new-time",
                                "2020-01-02 03:04:05", repository_.newer});
  EXPECT_EQ(done.code, ExitCode::kSuccess) << done.err;
  EXPECT_THAT(done.out, MatchesRegex("create exclusive lock for repository\n"
                                     "\n"
                                     "snapshot " +
                                     repository_.newer +
                                     " of \\[/z /srv\\] at 2026-09-02 .*\n"
                                     "setting time to 2020-01-02 03:04:05 .*\n"
                                     "setting host to n\n"
                                     "saved new snapshot ........\n"
                                     "removed old snapshot " +
                                     repository_.newer +
                                     "\n"
                                     "\n"
                                     "modified 1 snapshots\n"));
  const std::vector<Snapshot> after = snapshots();
  ASSERT_THAT(after, SizeIs(2));
  EXPECT_EQ(after[0].hostname, "n");
  EXPECT_EQ(after[0].tree, after[1].tree) << "without g.txt both hold the same";
  EXPECT_EQ(repository_.run({"check", "--read-data"}).code, ExitCode::kSuccess);
  EXPECT_THAT(testing::lock_names(repository_.memory.storage()), IsEmpty());
}

TEST_F(Rewrite, NamesEachPathForEachSnapshotIfAskedTo) {
  const Outcome done = rewrite({"-n", "-vv", "-e", "f"});
  EXPECT_THAT(done.out, MatchesRegex("\nsnapshot " + repository_.older +
                                     " .*\nexcluding \"/srv/f\"\nwould save new snapshot\n"
                                     "\nsnapshot " +
                                     repository_.newer +
                                     " .*\nexcluding \"/srv/f\"\nwould save new snapshot\n"
                                     "\nwould modify 2 snapshots\n"));
  EXPECT_THAT(rewrite({"-n", "-v", "-e", "f"}).out, Not(HasSubstr("excluding")));
  EXPECT_THAT(rewrite({"-n", "-q", "-e", "f"}).out, IsEmpty());
  EXPECT_THAT(rewrite({"-n", "-vv", "-i", "g.txt"}).out, HasSubstr("including \"/srv/g.txt\"\n"));
  EXPECT_THAT(snapshots(), SizeIs(2));
}

TEST_F(Rewrite, WithoutAnythingToDoOrWithTwoKindsOfPatternsItIsRefused) {
  EXPECT_THAT(refusal({}), StartsWith("Fatal: Nothing to do: no excludes/includes provided"));
  EXPECT_THAT(refusal({"-e", "a", "--iinclude", "b"}),
              StartsWith("Fatal: exclude and include patterns are mutually exclusive\n"));
  EXPECT_THAT(refusal({"-e", "["}), HasSubstr("--exclude: invalid pattern(s) provided"));
  EXPECT_THAT(refusal({"--new-time", "soon"}), StartsWith("Fatal: error in time option: "));
  EXPECT_THAT(refusal({"--exclude-file", "/nonexistent"}), HasSubstr("/nonexistent"));
}

TEST_F(Rewrite, ASnapshotOfWhichNothingIsIncludedStays) {
  const Outcome done = rewrite({"-i", "nosuch", "--new-host", "n", "--forget"});
  EXPECT_THAT(done.out, HasSubstr("no snapshots were modified\n"));
  EXPECT_THAT(snapshots(), SizeIs(2));
}

TEST_F(Rewrite, NeedsTheRepositoryForItselfToForget) {
  auto& storage = repository_.memory.storage();
  const auto repository = repository_.memory.open();
  repository_.memory.builder().add_sealed(FileType::kLock,
                                          write_lock_file(testing::lock_elsewhere(false)));
  EXPECT_EQ(rewrite({"-e", "f", "--forget"}).code, ExitCode::kLocked);
  EXPECT_EQ(rewrite({"-e", "f", "--forget", "-n"}).code, ExitCode::kSuccess)
      << "it changes nothing";
  EXPECT_EQ(rewrite({"-e", "f"}).code, ExitCode::kSuccess);
  EXPECT_THAT(testing::lock_names(storage), SizeIs(1));
}

// Of a program such as rustic.
TEST_F(Rewrite, FieldsOfOtherProgramsStay) {
  auto& builder = repository_.memory.builder();
  const BlobId tree = builder.add_tree(
      {testing::file_node("a", {}, 0), testing::file_node("b", {}, 0, R"(,"x":{})")});
  builder.add_sealed(FileType::kSnapshot,
                     R"({"time":"2026-09-03T00:00:00Z","tree":")" + tree.hex() +
                         R"(","paths":["/"],"label":"mine","delete":{"After":"2027"}})");
  builder.finish();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"rewrite", "--forget", "-e", "/a"}, {"tag", "--add", "t"}}) {
    EXPECT_EQ(repository_.run(words).code, ExitCode::kSuccess);
    const Snapshot after = snapshots().back();
    EXPECT_THAT(write_snapshot(after), HasSubstr(R"("label":"mine","delete":{"After":"2027"})"));
    const auto json =
        value_of(repository_.memory.open()->load(BlobType::kTree, after.tree, soon()));
    EXPECT_THAT(std::string(as_text(json->view())), HasSubstr(R"("x":{})"));
  }
}

}  // namespace
}  // namespace restree
