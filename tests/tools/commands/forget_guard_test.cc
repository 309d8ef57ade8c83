// restree forget --max-remove and --explain, and the warnings about odd groups
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::RestreeRunner;
using ::testing::SizeIs;
using testing::soon;
using ::testing::StartsWith;
using testing::value_of;

using Strings = std::vector<std::string>;

class ForgetGuard : public ::testing::Test {
 protected:
  std::string add(const std::string& time, const std::string& path = "/srv") {
    return builder_.add_snapshot(tree_, {.time = time, .paths = {path}, .hostname = "h"});
  }
  // The oldest first.
  Strings add_nights(int count) {
    Strings ids;
    for (int night = 1; night <= count; ++night) {
      ids.push_back(add("2026-09-0" + std::to_string(night) + "T23:30:00+02:00"));
    }
    return ids;
  }
  std::size_t left() { return value_of(storage_->list(FileType::kSnapshot, soon())).size(); }
  Outcome forget(Strings words) const {
    words.insert(words.begin(), "forget");
    return runner_.run(words);
  }

  std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
  testing::RepositoryBuilder builder_{storage_};
  RestreeRunner runner_{storage_};
  BlobId tree_ = builder_.add_tree({});
  std::string index_ = builder_.finish();
};

TEST_F(ForgetGuard, StopsAPolicyThatRemovesMoreThanHalfOfAGroup) {
  add_nights(5);
  const Outcome outcome = forget({"--keep-last", "2"});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(
      outcome.err,
      AllOf(StartsWith("Fatal: this would remove 3 of the 5 snapshots of host h, path "
                       "[/srv], more than --max-remove 50% allows: no snapshot was removed\n"),
            HasSubstr("--max-remove 100%")));
  EXPECT_THAT(outcome.out, HasSubstr("remove 3 snapshots:\n")) << "so that one sees which";
  EXPECT_EQ(left(), 5U);
}

TEST_F(ForgetGuard, IsLiftedByName) {
  add_nights(5);
  EXPECT_EQ(forget({"--keep-last", "2", "--max-remove", "59.9%"}).code, ExitCode::kFailure);
  EXPECT_EQ(forget({"--keep-last", "2", "--max-remove", "60%"}).code, ExitCode::kSuccess);
  EXPECT_EQ(left(), 2U);
}

TEST_F(ForgetGuard, LetsHalfOfAGroupGo) {
  add_nights(4);
  EXPECT_EQ(forget({"--keep-last", "2"}).code, ExitCode::kSuccess);
  EXPECT_EQ(left(), 2U);
}

TEST_F(ForgetGuard, DoesNotJudgeIds) {
  const Strings ids = add_nights(3);
  EXPECT_EQ(forget(ids).code, ExitCode::kSuccess);
  EXPECT_EQ(left(), 0U);
}

TEST_F(ForgetGuard, IsLiftedByUnsafeAllowRemoveAllWithoutAPolicy) {
  add_nights(3);
  EXPECT_EQ(forget({"--unsafe-allow-remove-all", "--host", "h"}).code, ExitCode::kSuccess);
  EXPECT_EQ(left(), 0U);
}

TEST_F(ForgetGuard, ADryRunSaysThatItWouldStop) {
  add_nights(5);
  const Outcome outcome = forget({"-n", "--keep-last", "2"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess);
  EXPECT_THAT(outcome.err, AllOf(StartsWith("Warning: this would remove 3 of the 5 snapshots"),
                                 HasSubstr("a real run needs --max-remove 100%")));
  EXPECT_THAT(forget({"-n", "--json", "--keep-last", "2"}).err, IsEmpty());
}

TEST_F(ForgetGuard, UnderResticsNameThereIsNoneUnlessItIsAskedFor) {
  add_nights(5);
  const std::string password = (runner_.folder() / "password").string();
  const auto restic = [&](Strings words) {
    words.insert(words.begin(), {"-r", "memory", "--password-file", password, "forget"});
    return runner_.run_bare(words, "restic");
  };
  EXPECT_EQ(restic({"--keep-last", "2", "--max-remove", "50%"}).code, ExitCode::kFailure);
  const Outcome outcome = restic({"--keep-last", "2"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_EQ(left(), 2U);
}

TEST_F(ForgetGuard, RefusesWhatIsNotAShare) {
  EXPECT_THAT(forget({"--max-remove", "50", "-l", "1"}).err,
              HasSubstr("invalid argument \"50\" for \"--max-remove\" flag: must be a share"));
}

TEST_F(ForgetGuard, NamesSnapshotsOfTheFuture) {
  add_nights(2);
  add("2097-01-01T00:00:00Z");
  const std::string last = add("2099-01-01T00:00:00Z");
  const Outcome outcome = forget({"-n", "--keep-last", "9"});
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("2 of the snapshots are dated in the future"),
                                 HasSubstr("(" + last + ")"), HasSubstr("by their ids")));
  EXPECT_THAT(forget({"-n", "-q", "--keep-last", "9"}).err, IsEmpty());
}

TEST_F(ForgetGuard, SaysWhereMostGroupsHoldOneSnapshot) {
  for (int i = 1; i <= 3; ++i) add("2026-09-01T03:00:00Z", "/tmp/" + std::to_string(i));
  EXPECT_THAT(forget({"-n", "--keep-last", "1"}).err,
              HasSubstr("3 of 3 groups hold one snapshot only, which no policy ever removes. "
                        "--group-by host makes larger groups."));
}

TEST_F(ForgetGuard, ExplainsBucketsZonesRulesAndWhenASnapshotWillGo) {
  const Strings ids = add_nights(3);
  const Outcome outcome = forget({"-n", "--explain", "--keep-daily", "2", "--keep-monthly", "1"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("snapshots for (host [h], paths [/srv]):\n"));
  EXPECT_THAT(outcome.out,
              HasSubstr("ID        Time and zone               Day         Month    Kept "
                        "by           Dropped\n"));
  EXPECT_THAT(outcome.out,
              HasSubstr(ids[0] + "  2026-09-01 23:30:00 +02:00  2026-09-01  2026-09  no rule "));
  EXPECT_THAT(outcome.out, HasSubstr("if a backup is made every 1d from now on"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("keep 2 snapshots:")));
}

TEST_F(ForgetGuard, ExplainsInJson) {
  add_nights(3);
  const std::string out =
      forget({"-n", "--json", "--explain", "--keep-daily", "2", "--keep-tag", ""}).out;
  EXPECT_THAT(out, HasSubstr(R"("explain":{"interval_seconds":86400,"snapshots":[{"id":")"));
  EXPECT_THAT(out,
              HasSubstr(R"("zone":"+02:00","buckets":{"day":"2026-09-03"},"kept_by":["has tags )"
                        R"([]","daily snapshot"],"dropped":"never"})"));
}

}  // namespace
}  // namespace restree
