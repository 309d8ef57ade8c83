#include "repo/checker/pack_subset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using Kind = PackSubset::Kind;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::value_of;

PackToRead pack(std::uint32_t number, std::uint64_t size,
                std::optional<std::int64_t> last_read = std::nullopt) {
  PackToRead pack{.number = number, .id = {}, .size_bytes = size, .last_read = last_read};
  pack.id.bytes[0] = std::byte{static_cast<unsigned char>(number)};
  return pack;
}

std::vector<std::uint32_t> chosen(const PackSubset& subset, const std::vector<PackToRead>& packs) {
  std::vector<std::uint32_t> numbers;
  for (const PackToRead& one : choose_packs(subset, packs, 7)) numbers.push_back(one.number);
  return numbers;
}

TEST(PackSubset, TakesGroupsPercentagesAndSizes) {
  EXPECT_EQ(value_of(PackSubset::parse("2/10")).group, 2U);
  EXPECT_EQ(value_of(PackSubset::parse("2.5%")).percent, 2.5);
  EXPECT_EQ(value_of(PackSubset::parse("3M")).bytes, 3U << 20);
  EXPECT_EQ(value_of(PackSubset::parse("77")).bytes, 77U);
  const PackSubset oldest = value_of(PackSubset::parse("oldest:5G"));
  EXPECT_EQ(oldest.kind, Kind::kOldestBytes);
  EXPECT_EQ(oldest.bytes, std::uint64_t{5} << 30);
  for (const char* bad : {"", "0/3", "4/3", "1/257", "0%", "101%", "x", "1/", "-5", "0", "oldest",
                          "oldest:", "oldest:0", "oldest:x"}) {
    EXPECT_THAT(PackSubset::parse(bad), FailsWith(ErrorKind::kInvalid)) << bad;
  }
}

TEST(PackSubset, AGroupIsChosenByTheFirstByteOfTheId) {
  const std::vector<PackToRead> packs{pack(3, 1), pack(4, 1), pack(5, 1), pack(6, 1)};
  EXPECT_THAT(chosen({.kind = Kind::kGroup, .group = 1, .groups = 3}, packs), ElementsAre(3, 6));
  EXPECT_THAT(chosen({.kind = Kind::kGroup, .group = 2, .groups = 3}, packs), ElementsAre(4));
}

TEST(PackSubset, APercentageIsOfTheNumberOfPacksRoundedDownButOneAtLeast) {
  std::vector<PackToRead> packs;
  for (std::uint32_t i = 0; i < 10; ++i) packs.push_back(pack(i, i * 100));
  EXPECT_THAT(chosen({.kind = Kind::kPercent, .percent = 39}, packs), SizeIs(3));
  EXPECT_THAT(chosen({.kind = Kind::kPercent, .percent = 0.1}, packs), SizeIs(1));
  EXPECT_THAT(chosen({.kind = Kind::kPercent, .percent = 100}, packs), SizeIs(10));
  EXPECT_THAT(chosen({.kind = Kind::kPercent, .percent = 50}, {}), IsEmpty());
}

TEST(PackSubset, ASizeBecomesItsShareOfThePacks) {
  std::vector<PackToRead> packs;
  for (std::uint32_t i = 0; i < 10; ++i) packs.push_back(pack(i, 100));
  EXPECT_THAT(chosen({.kind = Kind::kBytes, .bytes = 450}, packs), SizeIs(4));
  EXPECT_THAT(chosen({.kind = Kind::kBytes, .bytes = 5000}, packs), SizeIs(10));
}

TEST(PackSubset, TheOldestComeFirstAndBeforeThemThoseNeverRead) {
  const std::vector<PackToRead> packs{pack(1, 10, 300), pack(2, 10, 100), pack(3, 10),
                                      pack(4, 10, 200)};
  EXPECT_THAT(chosen({.kind = Kind::kOldestBytes, .bytes = 30}, packs), ElementsAre(3, 2, 4));
  EXPECT_THAT(chosen({.kind = Kind::kOldestBytes, .bytes = 29}, packs), ElementsAre(3, 2));
  EXPECT_THAT(chosen({.kind = Kind::kOldestBytes, .bytes = 40}, packs), ElementsAre(3, 2, 4, 1));
  EXPECT_THAT(chosen({.kind = Kind::kOldestTime}, packs), ElementsAre(3, 2, 4, 1))
      << "the time ends it";
}

TEST(PackSubset, ABudgetSmallerThanThePackStillReadsOne) {
  EXPECT_THAT(chosen({.kind = Kind::kOldestBytes, .bytes = 5}, {pack(1, 10, 2), pack(2, 10, 1)}),
              ElementsAre(2));
  EXPECT_THAT(chosen({.kind = Kind::kOldestBytes, .bytes = 5}, {}), IsEmpty());
}

}  // namespace
}  // namespace restree
