#include "repo/chunker/polynomial.h"

#include <gmock/gmock.h>

#include "tests/support/split_mix.h"

namespace restree {
namespace {

using ::testing::Optional;

TEST(Polynomial, DegreeIsTheHighestPower) {
  EXPECT_EQ(degree_of(0), 0U);
  EXPECT_EQ(degree_of(1), 0U);
  EXPECT_EQ(degree_of(0xb), 3U);
  EXPECT_EQ(degree_of(0x3da3358b4dc173), 53U);
}

TEST(Polynomial, KnowsIrreduciblePolynomialsOfSmallDegree) {
  EXPECT_TRUE(is_irreducible(0b10));
  EXPECT_TRUE(is_irreducible(0b11));
  EXPECT_TRUE(is_irreducible(0b111));
  EXPECT_FALSE(is_irreducible(0b101));  // (x + 1)^2
  EXPECT_TRUE(is_irreducible(0x11b));   // of AES
  EXPECT_FALSE(is_irreducible(0));
  EXPECT_FALSE(is_irreducible(1));
}

TEST(Polynomial, JudgesThePolynomialsOfRepositoriesAsResticDoes) {
  for (const std::uint64_t good : {0x3da3358b4dc173U, 0x2482734cacca49U, 0x2c9b0809cd9da9U}) {
    EXPECT_TRUE(is_irreducible(good)) << std::hex << good;
  }
  for (const std::uint64_t bad : {0x38f1e565e288dfU, 0x30a8295b9d5c91U}) {
    EXPECT_FALSE(is_irreducible(bad)) << std::hex << bad;
  }
}

TEST(Polynomial, FindsAnIrreduciblePolynomialOfDegree53) {
  testing::SplitMix64 random(7);
  const auto found = find_irreducible(std::ref(random));
  ASSERT_TRUE(found);
  EXPECT_EQ(degree_of(*found), 53U);
  EXPECT_TRUE(is_irreducible(*found));
}

TEST(Polynomial, TakesAWordThatIsIrreducibleAsItIs) {
  EXPECT_THAT(find_irreducible([] { return 0x3da3358b4dc173; }), Optional(0x3da3358b4dc173));
}

TEST(Polynomial, GivesUpOnASourceThatIsNotRandom) {
  EXPECT_EQ(find_irreducible([] { return 0x38f1e565e288df; }), std::nullopt);
}

// Values from restic's chunker library.
TEST(Polynomial, TablesEqualThoseOfRestic) {
  const RollingTables tables = make_rolling_tables(0x3da3358b4dc173, 64);
  EXPECT_EQ(tables.leaving[0], 0U);
  EXPECT_EQ(tables.leaving[1], 0x17eb4232e19216U);
  EXPECT_EQ(tables.leaving[128], 0x5b54453ea6b5cU);
  EXPECT_EQ(tables.leaving[255], 0xb80b98cecc39aU);
  EXPECT_EQ(tables.reduced[0], 0U);
  EXPECT_EQ(tables.reduced[1], 0x3da3358b4dc173U);
  EXPECT_EQ(tables.reduced[255], 0x1ff7ac8a5af476a7U);
}

}  // namespace
}  // namespace restree
