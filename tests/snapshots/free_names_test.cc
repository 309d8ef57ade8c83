#include "repo/snapshots/free_names.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace restree {
namespace {

class FreeNamesTest : public ::testing::Test {
 protected:
  std::string take(const std::string& name) {
    std::string found = names_.find(name, [&](const std::string& candidate) {
      ++asked_;
      return taken_.contains(candidate);
    });
    taken_.insert(found);
    return found;
  }

  FreeNames names_;
  std::set<std::string> taken_;
  std::size_t asked_ = 0;
};

TEST_F(FreeNamesTest, NumberEntriesThatWantOneName) {
  EXPECT_EQ(take("2026"), "2026");
  EXPECT_EQ(take("2026"), "2026-1");
  EXPECT_EQ(take("2025"), "2025");
  EXPECT_EQ(take("2026"), "2026-2");
  EXPECT_EQ(take("2025"), "2025-1");
}

TEST_F(FreeNamesTest, PassOverWhatAnotherEntryHas) {
  taken_ = {"a-1", "a-3"};
  EXPECT_EQ(take("a"), "a");
  EXPECT_EQ(take("a"), "a-2");
  EXPECT_EQ(take("a"), "a-4");
  taken_.insert("a-5");
  EXPECT_EQ(take("a"), "a-6");
}

TEST_F(FreeNamesTest, KeepNumbersWithinTheLongestName) {
  const std::string longest(255, 'n');
  EXPECT_EQ(take(longest), longest);
  EXPECT_EQ(take(longest), std::string(253, 'n') + "-1");
  for (int i = 2; i < 10; ++i) take(longest);
  EXPECT_EQ(take(longest), std::string(252, 'n') + "-10");
}

TEST_F(FreeNamesTest, AskFewQuestionsHoweverManyWantOneName) {
  constexpr std::size_t kEntries = 20'000;
  for (std::size_t i = 0; i < kEntries; ++i) take("2026");
  EXPECT_EQ(taken_.size(), kEntries);
  EXPECT_LE(asked_, 3 * kEntries);
}

}  // namespace
}  // namespace restree
