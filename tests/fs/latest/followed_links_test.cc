#include "fs/latest/followed_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "tests/support/fake_processes.h"

namespace restree {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::FakeProcesses;

constexpr std::uint64_t kLink = 100;
constexpr std::uint64_t kOtherLink = 200;
constexpr FollowedLinks::Clock::time_point kStart{};

class FollowedLinksTest : public ::testing::Test {
 protected:
  FollowedLinksTest() {
    processes_->begin(10);
    processes_->begin(20);
  }
  // Which snapshot a thread finds while `newest` is the newest one.
  std::uint64_t follow(pid_t thread, std::uint64_t newest, std::uint64_t directory = kLink) {
    return links_.follow(thread, directory, target(newest)).target.snapshot;
  }
  static FollowedLinks::Target target(std::uint64_t snapshot) {
    return {snapshot, "name " + std::to_string(snapshot), {}};
  }
  // Whether the answer is shared at last, if a thread asks as often as a program that copies files.
  bool is_shared(pid_t thread, std::uint64_t newest, std::uint64_t directory = kLink) {
    bool is_shared = false;
    for (unsigned i = 0; i <= FollowedLinks::kBurst && !is_shared; ++i) {
      is_shared = links_.follow(thread, directory, target(newest)).is_shared;
    }
    return is_shared;
  }

  const std::shared_ptr<FakeProcesses> processes_ = std::make_shared<FakeProcesses>();
  FollowedLinks::Clock::time_point now_ = kStart;
  FollowedLinks links_{processes_, [this] { return now_; }};
};

TEST_F(FollowedLinksTest, AProcessKeepsTheSnapshotThatItHasFollowedTo) {
  EXPECT_EQ(follow(10, 1), 1U);
  EXPECT_EQ(follow(10, 2), 1U);
  EXPECT_EQ(follow(10, 3), 1U);
  EXPECT_EQ(links_.follow(10, kLink, target(3)).target.name, "name 1");
}

TEST_F(FollowedLinksTest, AProcessThatFollowsLaterGetsTheNewest) {
  EXPECT_EQ(follow(10, 1), 1U);
  EXPECT_EQ(follow(20, 2), 2U);
  EXPECT_EQ(follow(10, 3), 1U);
  EXPECT_EQ(follow(20, 3), 2U);
}

TEST_F(FollowedLinksTest, AllThreadsOfAProcessFollowToTheSameSnapshot) {
  processes_->begin_thread(11, 10);
  EXPECT_EQ(follow(11, 1), 1U);
  EXPECT_EQ(follow(10, 2), 1U);
  processes_->begin_thread(12, 10);
  EXPECT_EQ(follow(12, 3), 1U);
}

TEST_F(FollowedLinksTest, ANumberThatIsUsedAgainIsAnotherProcess) {
  EXPECT_EQ(follow(10, 1), 1U);
  processes_->end(10);
  processes_->begin(10);
  EXPECT_EQ(follow(10, 2), 2U);
}

TEST_F(FollowedLinksTest, EachLinkIsRememberedForItself) {
  EXPECT_EQ(follow(10, 1, kLink), 1U);
  EXPECT_EQ(follow(10, 5, kOtherLink), 5U);
  EXPECT_EQ(follow(10, 2, kLink), 1U);
  EXPECT_EQ(follow(10, 6, kOtherLink), 5U);
}

TEST_F(FollowedLinksTest, AProcessThatCannotBeSeenGetsTheNewestEachTime) {
  EXPECT_EQ(follow(0, 1), 1U);
  EXPECT_EQ(follow(0, 2), 2U);
  EXPECT_EQ(follow(30, 3), 3U);
  EXPECT_EQ(links_.size(), 0U);
}

TEST_F(FollowedLinksTest, AProcessThatGoesOnToFollowKeepsItsSnapshotForWeeks) {
  EXPECT_EQ(follow(10, 1), 1U);
  for (int day = 0; day < 30; ++day) {
    now_ += hours(24) - minutes(1);
    EXPECT_EQ(follow(10, 2), 1U);
  }
}

TEST_F(FollowedLinksTest, AfterADayWithoutFollowingAProcessGetsTheNewest) {
  EXPECT_EQ(follow(10, 1), 1U);
  now_ += hours(24);
  EXPECT_EQ(follow(10, 2), 2U);
  EXPECT_EQ(follow(10, 3), 2U) << "was not remembered anew";
}

TEST_F(FollowedLinksTest, AnAnswerIsSharedOnlyWithAProcessThatAsksOften) {
  for (unsigned i = 0; i < 10 * FollowedLinks::kBurst; ++i) {
    EXPECT_FALSE(links_.follow(10, kLink, target(1)).is_shared);
    now_ += FollowedLinks::kBurstTime / 8;
  }
  EXPECT_TRUE(is_shared(10, 1));
  EXPECT_FALSE(links_.follow(10, kLink, target(1)).is_shared) << "each time anew";
  EXPECT_TRUE(is_shared(10, 1));
  EXPECT_FALSE(is_shared(0, 1)) << "a process that cannot be seen";
}

TEST_F(FollowedLinksTest, NoAnswerIsSharedWhileAProcessIsLedElsewhere) {
  EXPECT_EQ(follow(20, 1), 1U);
  EXPECT_FALSE(is_shared(10, 2));
  EXPECT_TRUE(is_shared(10, 5, kOtherLink));
  EXPECT_FALSE(is_shared(20, 2)) << "its own is not the newest";
  processes_->end(20);
  EXPECT_TRUE(is_shared(10, 2));
}

// The kernel has told them, and nobody else knows.
TEST_F(FollowedLinksTest, ProcessesThatMayHaveGotASharedAnswerKeepItsSnapshot) {
  EXPECT_TRUE(is_shared(10, 1));
  processes_->begin(30);
  EXPECT_EQ(follow(20, 2), 1U) << "lived then";
  EXPECT_EQ(follow(20, 3), 1U);
  EXPECT_EQ(follow(30, 2), 2U) << "began later";
  EXPECT_EQ(follow(20, 2, kOtherLink), 2U);
}

// Else one that has got both would have files of two snapshots.
TEST_F(FollowedLinksTest, ForADayNoOtherSnapshotIsShared) {
  EXPECT_TRUE(is_shared(10, 1));
  processes_->end(10);
  processes_->begin(30);
  EXPECT_FALSE(is_shared(30, 2));
  now_ += FollowedLinks::kKeptUnused;
  EXPECT_FALSE(is_shared(30, 2));
  now_ += FollowedLinks::kShared + FollowedLinks::kLate;
  EXPECT_TRUE(is_shared(30, 2));
  EXPECT_EQ(follow(20, 3), 2U);
  now_ += FollowedLinks::kKeptUnused + FollowedLinks::kShared + FollowedLinks::kLate;
  processes_->begin(40);
  EXPECT_EQ(follow(20, 3), 3U) << "a day without following";
}

TEST_F(FollowedLinksTest, EndedProcessesAreDropped) {
  EXPECT_EQ(follow(10, 1), 1U);
  for (pid_t id = 1000; id < 21'000; ++id) {
    processes_->begin(id);
    follow(id, 2);
    processes_->end(id);
    ASSERT_LE(links_.size(), 200U);
  }
  EXPECT_EQ(follow(10, 3), 1U) << "a process that lives was dropped as well";
}

TEST_F(FollowedLinksTest, BeyondTheLimitTheLeastRecentlyUsedIsDropped) {
  follow(10, 1);
  follow(20, 1);
  now_ += minutes(1);
  follow(10, 1);
  for (pid_t id = 1000; id < 1000 + static_cast<pid_t>(FollowedLinks::kMost) - 1; ++id) {
    processes_->begin(id);
    follow(id, 1);
  }
  EXPECT_EQ(links_.size(), FollowedLinks::kMost);
  EXPECT_EQ(follow(10, 2), 1U);
  EXPECT_EQ(follow(20, 2), 2U);
  EXPECT_EQ(links_.size(), FollowedLinks::kMost);
}

TEST_F(FollowedLinksTest, EndedProcessesGoBeforeThoseThatLive) {
  constexpr pid_t kLiving = 2500;
  for (pid_t id = 1000; id < 1000 + kLiving; ++id) {
    processes_->begin(id);
    follow(id, 1);
  }
  for (pid_t id = 10'000; id < 15'000; ++id) {
    processes_->begin(id);
    follow(id, 2);
    processes_->end(id);
  }
  for (pid_t id = 1000; id < 1000 + kLiving; ++id) ASSERT_EQ(follow(id, 3), 1U) << id;
  EXPECT_LE(links_.size(), FollowedLinks::kMost);
}

TEST_F(FollowedLinksTest, PairsUnusedForADayAreDroppedWithTheEnded) {
  for (pid_t id = 1000; id < 2000; ++id) {
    processes_->begin(id);
    follow(id, 1);
  }
  now_ += hours(24);
  for (pid_t id = 2000; id < 4000; ++id) {
    processes_->begin(id);
    follow(id, 2);
  }
  EXPECT_EQ(links_.size(), 2000U);
}

}  // namespace
}  // namespace restree
