// Which stretches of packs are read for what is wanted.
#include "repo/bulk/bulk_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::SizeIs;

PackId pack(unsigned char number) {
  PackId id;
  id.bytes[0] = std::byte{number};
  return id;
}

BlobLocation place(unsigned char pack_number, std::uint32_t offset, std::uint32_t length) {
  return {.pack = pack(pack_number), .offset = offset, .length = length, .raw_length = 0};
}

// "pack: offset+length" of each request.
std::vector<std::string> shown(const std::vector<BulkRequest>& requests) {
  std::vector<std::string> lines;
  for (const BulkRequest& request : requests) {
    lines.push_back(std::to_string(std::to_integer<int>(request.pack.bytes[0])) + ": " +
                    std::to_string(request.range.offset) + "+" +
                    std::to_string(request.range.length));
  }
  return lines;
}

constexpr BulkLimits kSmall{.gap_bytes = 10, .request_bytes = 100};

class BulkPlanTest : public ::testing::Test {
 protected:
  void want(const BlobLocation& where) { plan_.add(where, ids_.emplace_back(), next_tag_++, 0); }

  BulkPlan plan_;

 private:
  std::deque<BlobId> ids_;
  std::uint32_t next_tag_ = 0;
};

TEST_F(BulkPlanTest, NeighboursComeWithOneRequest) {
  want(place(1, 40, 20));
  want(place(1, 0, 40));
  want(place(1, 60, 5));
  EXPECT_THAT(shown(plan_.requests(kSmall)), ElementsAre("1: 0+65"));
}

TEST_F(BulkPlanTest, ASmallGapIsReadAlongAndALargeOneIsNot) {
  want(place(1, 0, 10));
  want(place(1, 20, 10));
  want(place(1, 41, 10));
  EXPECT_THAT(shown(plan_.requests(kSmall)), ElementsAre("1: 0+30", "1: 41+10"));
}

TEST_F(BulkPlanTest, ARequestIsNoLongerThanTheLimitUnlessOneBlobIs) {
  want(place(1, 0, 60));
  want(place(1, 60, 41));
  want(place(1, 101, 300));
  EXPECT_THAT(shown(plan_.requests(kSmall)), ElementsAre("1: 0+60", "1: 60+41", "1: 101+300"));
}

TEST_F(BulkPlanTest, PacksComeInTheOrderOfTheirFirstUse) {
  want(place(7, 50, 10));
  want(place(3, 0, 10));
  want(place(7, 0, 10));
  EXPECT_THAT(shown(plan_.requests({.gap_bytes = 1, .request_bytes = 100})),
              ElementsAre("7: 0+10", "7: 50+10", "3: 0+10"));
}

TEST_F(BulkPlanTest, ABlobThatIsWantedTwiceIsReadOnce) {
  want(place(1, 0, 80));
  want(place(1, 90, 10));
  want(place(1, 0, 80));
  const auto requests = plan_.requests(kSmall);
  ASSERT_THAT(shown(requests), ElementsAre("1: 0+100"));
  EXPECT_THAT(requests[0].uses, ElementsAre(Field(&BlobUse::tag, 0), Field(&BlobUse::tag, 2),
                                            Field(&BlobUse::tag, 1)));
}

TEST_F(BulkPlanTest, ManyUsesOfABlobAtTheLimitStayTogether) {
  want(place(1, 0, 100));
  want(place(1, 100, 300));
  want(place(1, 100, 300));
  const auto requests = plan_.requests(kSmall);
  ASSERT_THAT(shown(requests), ElementsAre("1: 0+100", "1: 100+300"));
  EXPECT_THAT(requests[1].uses, SizeIs(2));
}

TEST_F(BulkPlanTest, NothingWantedIsNothingAsked) { EXPECT_THAT(plan_.requests(), SizeIs(0)); }

}  // namespace
}  // namespace restree
