// restree forget by a policy
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "repo/repository.h"
#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::RestreeRunner;
using ::testing::SizeIs;
using testing::soon;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using testing::value_of;

using Strings = std::vector<std::string>;

// Four nights of host a, and one snapshot of host b.
class ForgetPolicy : public ::testing::Test {
 protected:
  ForgetPolicy() {
    tree_ = builder_.add_tree({});
    for (const char* day : {"01", "02", "03", "04"}) {
      nights_.push_back(add("2026-09-" + std::string(day) + "T03:00:05Z", "a", {"app=wiki"}));
    }
    of_b_ = add("2026-09-02T04:00:05Z", "b", {"app=wiki", "keep"});
    builder_.finish();
  }
  std::string add(const std::string& time, const std::string& host, Strings tags = {}) {
    return builder_.add_snapshot(
        tree_, {.time = time, .paths = {"/srv"}, .tags = std::move(tags), .hostname = host});
  }
  Strings short_ids() {
    Strings ids;
    for (const auto& file : value_of(storage_->list(FileType::kSnapshot, soon()))) {
      ids.push_back(file.name.substr(0, 8));
    }
    return ids;
  }
  Outcome forget(Strings words) const {
    words.insert(words.begin(), "forget");
    return runner_.run(words);
  }

  std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
  std::shared_ptr<testing::WatchedStorage> watched_ =
      std::make_shared<testing::WatchedStorage>(storage_);
  testing::RepositoryBuilder builder_{watched_};
  RestreeRunner runner_{watched_};
  BlobId tree_;
  Strings nights_;  // the oldest first
  std::string of_b_;
};

TEST_F(ForgetPolicy, RemovesWhatNoRuleKeepsOfEachGroup) {
  const Outcome outcome = forget({"--keep-daily", "2"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_THAT(short_ids(), UnorderedElementsAre(nights_[2], nights_[3], of_b_));
  EXPECT_THAT(outcome.out, AllOf(StartsWith("Applying Policy: keep 2 daily snapshots\n"),
                                 HasSubstr("keep 2 snapshots:\n"), HasSubstr("daily snapshot"),
                                 HasSubstr("remove 2 snapshots:\n"),
                                 HasSubstr("100.00%  2 / 2 files deleted\n")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("snapshots for (")));
}

TEST_F(ForgetPolicy, PrintsTheTablesOfRestic) {
  const Outcome outcome = forget({"-n", "-v", "--keep-last", "1", "--host", "b"});
  EXPECT_THAT(outcome.out,
              HasSubstr("snapshots for (host [b], paths [/srv]):\n"
                        "keep 1 snapshots:\n"
                        "ID        Time                 Host        Tags           Reasons "
                        "       Paths\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\n1 snapshots\n\n"));
  EXPECT_THAT(forget({"-n", "-c", "--keep-last", "1"}).out, Not(HasSubstr("Reasons")));
}

TEST_F(ForgetPolicy, DryRunOnlySaysWhatWouldGo) {
  const Outcome outcome = forget({"--dry-run", "--no-lock", "--keep-last", "3"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_THAT(outcome.out,
              HasSubstr("Would have removed the following snapshots:\n{" + nights_[0] + "}\n\n"));
  EXPECT_THAT(short_ids(), SizeIs(5));
}

TEST_F(ForgetPolicy, PrintsAnArrayOfGroupsInJson) {
  const Outcome outcome = forget({"--json", "--keep-last", "2"});
  EXPECT_THAT(outcome.out,
              StartsWith(R"([{"tags":null,"host":"a","paths":["/srv"],"keep":[{"time")"));
  EXPECT_THAT(outcome.out, HasSubstr(R"("remove":null,"reasons":[{"snapshot":{)"));
  EXPECT_THAT(outcome.out, HasSubstr(R"("matches":["last snapshot"]}])"));
  EXPECT_EQ(outcome.out.back(), '\n');
  EXPECT_EQ(forget({"--json", "--keep-last", "2", "--host", "nobody"}).out, "");
}

TEST_F(ForgetPolicy, GroupsByAppWhateverTheHost) {
  const Outcome outcome = forget({"--json", "-g", "app", "--keep-last", "3"});
  EXPECT_THAT(short_ids(), UnorderedElementsAre(nights_[2], nights_[3], of_b_)) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr(R"("paths":null,"app":"wiki","keep")"));
}

TEST_F(ForgetPolicy, IgnoresRulesBesideIds) {
  forget({nights_[3], "--keep-last", "4"});
  EXPECT_THAT(short_ids(), Not(::testing::Contains(nights_[3])));
}

TEST_F(ForgetPolicy, RefusesToEmptyAGroup) {
  for (const Strings& rules : {Strings{"--keep-tag", "keep"}, Strings{"--keep-tag", "mistyped"},
                               Strings{"--keep-tag", "keep", "--unsafe-allow-remove-all"}}) {
    const Outcome outcome = forget(rules);
    EXPECT_EQ(outcome.code, ExitCode::kFailure);
    EXPECT_EQ(outcome.err,
              "refusing to delete last snapshot of snapshot group \"host a, path [/srv]\"\n");
  }
  EXPECT_THAT(short_ids(), SizeIs(5));
}

TEST_F(ForgetPolicy, RemovesAllThatAFilterChoosesIfThatIsSaid) {
  EXPECT_THAT(forget({"--unsafe-allow-remove-all"}).err,
              StartsWith("Fatal: --unsafe-allow-remove-all is not allowed unless a snapshot filter "
                         "option is specified"));
  EXPECT_THAT(short_ids(), SizeIs(5));
  const Outcome outcome = forget({"--unsafe-allow-remove-all", "--host", "a"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("Applying Policy: remove\n"));
  EXPECT_THAT(short_ids(), ElementsAre(of_b_));
}

TEST_F(ForgetPolicy, RefusesValuesAsResticDoes) {
  EXPECT_THAT(forget({"-l", "-1"}).err,
              HasSubstr("invalid argument \"-1\" for \"-l, --keep-last\" flag: negative values not "
                        "allowed, use 'unlimited' instead"));
  EXPECT_THAT(
      forget({"--keep-within", "1w"}).err,
      HasSubstr("invalid argument \"1w\" for \"--keep-within\" flag: invalid unit 'w' found "
                "after number 1"));
  EXPECT_THAT(forget({"--keep-within", "-1d"}).err,
              StartsWith("Fatal: durations containing negative values are not allowed for "
                         "--keep-within*"));
  EXPECT_THAT(short_ids(), SizeIs(5));
}

TEST_F(ForgetPolicy, JudgesNothingWhileASnapshotCannotBeRead) {
  const std::string damaged = builder_.add_file(FileType::kSnapshot, as_bytes("not sealed"));
  for (const char* how : {"--dry-run", "--json", "-q"}) {
    const Outcome outcome = forget({how, "--keep-last", "1"});
    EXPECT_EQ(outcome.code, ExitCode::kFailure) << how;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("failed to load snapshot " + damaged),
                                   HasSubstr("no snapshot was removed"),
                                   HasSubstr("restree repair snapshots --forget " + damaged)))
        << how;
    EXPECT_THAT(short_ids(), SizeIs(6)) << how;
  }
}

TEST_F(ForgetPolicy, NamesASnapshotThatItLeavesAsItCannotBeRead) {
  const std::string damaged = builder_.add_file(FileType::kSnapshot, as_bytes("not sealed"));
  const Outcome outcome = forget({damaged, nights_[0]});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err, AllOf(StartsWith("Ignoring \"" + damaged + "\": failed to load"),
                                 HasSubstr("restree repair snapshots --forget")));
  EXPECT_THAT(short_ids(), AllOf(::testing::Contains(damaged.substr(0, 8)),
                                 Not(::testing::Contains(nights_[0]))));
}

TEST_F(ForgetPolicy, NamesWhatItCouldNotRemove) {
  watched_->watch_removals([this](const FileName& file) -> Status {
    if (!file.name.starts_with(nights_[0])) return {};
    return Error(ErrorKind::kDenied, "read-only");
  });
  const Outcome outcome = forget({"--keep-last", "2"});
  EXPECT_EQ(outcome.code, ExitCode::kIncomplete);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("unable to remove snapshot/" + nights_[0]),
                                 HasSubstr("failed to remove one or more snapshots\n"),
                                 HasSubstr("run the command again")));
  EXPECT_THAT(short_ids(), UnorderedElementsAre(nights_[0], nights_[2], nights_[3], of_b_));
}

}  // namespace
}  // namespace restree
