#include "repo/copier/pack_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "repo/crypto/sha256.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Packs whose blobs are letters, and the turns of those that are wanted.
class PackPlan : public ::testing::Test {
 protected:
  static BlobId blob(char letter) { return BlobId{sha256(as_bytes(std::string(1, letter)))}; }
  static PackId pack(const std::string& blobs) {
    return PackId{sha256(as_bytes("pack of " + blobs))};
  }
  void plan(const std::vector<std::string>& packs, const std::map<char, CopyTurn>& wanted,
            std::size_t count) {
    IndexBuilder builder;
    for (const std::string& blobs : packs) {
      std::vector<IndexedBlob> entries;
      for (const char letter : blobs) {
        const auto offset = static_cast<std::uint32_t>(100 * entries.size());
        entries.push_back({blob(letter), BlobType::kData, offset, 100, 0});
      }
      builder.add(pack(blobs), entries);
    }
    const auto index = std::move(builder).build(1);
    std::vector<CopyTurn> turns(index->blob_count(), kNotWanted);
    for (const auto& [letter, turn] : wanted) {
      turns[*index->position(BlobType::kData, blob(letter))] = turn;
    }
    whole_.assign(count, {});
    singly_.assign(count, "");
    const auto parts = plan_packs(*index, PackContents(*index), turns, count);
    for (std::size_t turn = 0; turn < count; ++turn) {
      for (const std::string& blobs : packs) {
        for (const std::uint32_t number : parts[turn].packs) {
          if (index->packs()[number] == pack(blobs)) whole_[turn].push_back(blobs);
        }
      }
      for (char letter = 'a'; letter <= 'z'; ++letter) {
        for (const std::uint32_t position : parts[turn].singly) {
          if (index->entries()[position].id == blob(letter)) singly_[turn] += letter;
        }
      }
    }
  }

  std::vector<std::vector<std::string>> whole_;  // by turn
  std::vector<std::string> singly_;              // the same
};

TEST_F(PackPlan, APackOfWantedBlobsGoesWholeInTheTurnThatNeedsItFirst) {
  plan({"ab", "cd"}, {{'a', 1}, {'b', 0}, {'c', 1}, {'d', 1}}, 2);
  EXPECT_THAT(whole_, ElementsAre(ElementsAre("ab"), ElementsAre("cd")));
  EXPECT_THAT(singly_, ElementsAre("", ""));
}

TEST_F(PackPlan, OfAPackThatHoldsSomethingElseTheWantedBlobsGoSingly) {
  plan({"abx", "c"}, {{'a', 0}, {'b', 1}, {'c', 1}}, 2);
  EXPECT_THAT(whole_, ElementsAre(IsEmpty(), ElementsAre("c")));
  EXPECT_THAT(singly_, ElementsAre("a", "b"));
}

TEST_F(PackPlan, ABlobInSeveralPacksGoesOnce) {
  plan({"ab", "ba", "bc"}, {{'a', 0}, {'b', 0}, {'c', 0}}, 1);
  std::string all = singly_[0];
  for (const std::string& blobs : whole_[0]) all += blobs;
  std::ranges::sort(all);
  EXPECT_EQ(all, "abc");
}

TEST_F(PackPlan, ABlobThatIsAlsoInAPackWithOtherThingsGoesWithItsWholePack) {
  plan({"ax", "ab"}, {{'a', 0}, {'b', 0}}, 1);
  EXPECT_THAT(whole_, ElementsAre(ElementsAre("ab")));
  EXPECT_THAT(singly_, ElementsAre(""));
}

TEST_F(PackPlan, NothingWantedMeansNothingCopied) {
  plan({"ab"}, {}, 1);
  EXPECT_THAT(whole_, ElementsAre(IsEmpty()));
  EXPECT_THAT(singly_, ElementsAre(""));
}

}  // namespace
}  // namespace restree
