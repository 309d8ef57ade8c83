#include "tools/commands/backup_leftovers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>

namespace restree {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;

// The folders into which a job looks that runs so many times, so far apart.
std::set<std::string> folders_seen(int runs, std::chrono::hours between) {
  const system_clock::time_point first{std::chrono::hours(490'000)};
  std::set<std::string> seen;
  for (int run = 0; run < runs; ++run) {
    const auto folders = some_leftovers(first + run * between).folders();
    EXPECT_LT(folders.size(), 30U);
    seen.insert(folders.begin(), folders.end());
  }
  return seen;
}

TEST(SomeLeftovers, JobsOfEveryHourDayOrWeekComeToAllFoldersWithinThirteenRuns) {
  const std::size_t all = repository_folders().size();
  for (const std::chrono::hours between : {1h, 24h, 7 * 24h}) {
    EXPECT_EQ(folders_seen(13, between).size(), all) << between.count();
    EXPECT_LT(folders_seen(12, between).size(), all) << between.count();
  }
}

}  // namespace
}  // namespace restree
