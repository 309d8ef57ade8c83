#include "fs/report/failure_log.h"

#include <fstream>
#include <string>
#include <vector>

#include "repo/base/log.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Error damaged(const std::string& message) { return {ErrorKind::kCorrupt, message}; }
Error away(const std::string& message) { return {ErrorKind::kUnavailable, message}; }

class FailureLogTest : public ::testing::Test {
 protected:
  FailureLogTest() { EXPECT_OK(log::open_file(path_)); }

  // The log lines since the last call.
  std::vector<std::string> lines() {
    std::ifstream file(path_);
    std::vector<std::string> fresh;
    std::size_t number = 0;
    for (std::string line; std::getline(file, line);) {
      if (number++ >= seen_) fresh.push_back(line);
    }
    seen_ = number;
    return fresh;
  }

  testing::TempDir dir_;
  const std::string path_ = (dir_.path() / "log").string();
  std::size_t seen_ = 0;
  FailureLog::Clock::time_point now_{};
  FailureLog log_{[](std::uint64_t inode) { return "path /f" + std::to_string(inode); },
                  [this] { return now_; }};
};

TEST_F(FailureLogTest, SaysWhatFailedWhereAndWhy) {
  const Error error = log_.report(damaged("blob 12 is damaged"), 7, "read bytes 0 to 5");
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(error.message(), "blob 12 is damaged");
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("read bytes 0 to 5: path /f7: blob 12 is damaged")));
}

TEST_F(FailureLogTest, LogsTheSameFailureOnceInAWhileAndCountsItEachTime) {
  log_.report(damaged("x"), 1, "read");
  EXPECT_EQ(lines().size(), 1U);
  now_ += FailureLog::kLoggedAgainAfter - std::chrono::seconds(1);
  log_.report(damaged("x"), 1, "read");
  EXPECT_THAT(lines(), IsEmpty());
  now_ += std::chrono::seconds(1);
  log_.report(damaged("x"), 1, "read");
  EXPECT_EQ(lines().size(), 1U);
  log_.report(damaged("x"), 1, "read");
  EXPECT_THAT(lines(), IsEmpty());
  EXPECT_EQ(log_.count(), 4U);
}

TEST_F(FailureLogTest, LogsAnotherEntryOperationOrReason) {
  log_.report(damaged("x"), 1, "read");
  log_.report(damaged("x"), 2, "read");
  log_.report(damaged("x"), 1, "list");
  log_.report(damaged("y"), 1, "read");
  EXPECT_EQ(lines().size(), 4U);
}

TEST_F(FailureLogTest, LogsOneLineForAnEntryThatIsOutOfReach) {
  log_.report(away("no answer"), 1, "read bytes 0 to 5");
  log_.report(away("no answer"), 1, "read bytes 5 to 9");
  log_.report(away("refused"), 1, "read bytes 0 to 5");
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("read bytes 0 to 5: path /f1: no answer")));
  log_.report(away("no answer"), 2, "read bytes 0 to 5");
  EXPECT_EQ(lines().size(), 1U);
}

TEST_F(FailureLogTest, ForgetsAllWhenThereAreTooMany) {
  log_.report(damaged("first"), 0, "read");
  for (std::size_t i = 1; i < FailureLog::kMostRemembered; ++i) {
    log_.report(damaged("other"), i, "read");
  }
  EXPECT_EQ(lines().size(), FailureLog::kMostRemembered);
  log_.report(damaged("one more"), 0, "read");
  log_.report(damaged("first"), 0, "read");
  EXPECT_EQ(lines().size(), 2U);
}

}  // namespace
}  // namespace restree
