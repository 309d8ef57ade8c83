#include "cache/read_marks.h"

#include <gtest/gtest.h>

namespace restree {
namespace {

constexpr std::uint64_t kBytes = 64'000;

TEST(ReadMarks, ABlobThatNobodyCameForIsNotDue) { EXPECT_FALSE(ReadMarks(kBytes).is_due()); }

TEST(ReadMarks, ABlobIsDueFromItsFirstByteToItsLast) {
  ReadMarks marks(kBytes);
  marks.read(0, 10);
  EXPECT_TRUE(marks.is_due());
  marks.read(10, kBytes - 10);
  EXPECT_TRUE(marks.is_due());
  marks.read(kBytes - 10, kBytes);
  EXPECT_FALSE(marks.is_due());
}

TEST(ReadMarks, ReadsMayComeInAnyOrder) {
  ReadMarks marks(kBytes);
  marks.read(40'000, kBytes);
  marks.read(0, 20'000);
  EXPECT_TRUE(marks.is_due());
  marks.read(20'000, 40'000);
  EXPECT_FALSE(marks.is_due());
}

TEST(ReadMarks, ASecondReaderMakesItDueAgain) {
  ReadMarks marks(kBytes);
  marks.read(0, kBytes);
  marks.read(0, 10);
  EXPECT_TRUE(marks.is_due());
  marks.read(10, kBytes);
  EXPECT_FALSE(marks.is_due());
}

TEST(ReadMarks, AnExpectedBlobIsDueUntilItIsRead) {
  ReadMarks marks(kBytes);
  marks.expect();
  EXPECT_TRUE(marks.is_due());
  marks.read(0, kBytes);
  EXPECT_FALSE(marks.is_due());
  marks.expect();
  EXPECT_FALSE(marks.is_due());
}

TEST(ReadMarks, ABlobOfAByteIsReadAtOnce) {
  ReadMarks marks(1);
  marks.read(0, 1);
  EXPECT_FALSE(marks.is_due());
}

}  // namespace
}  // namespace restree
