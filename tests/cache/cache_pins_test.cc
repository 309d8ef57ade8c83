// Pinned packs stay in the cache, and no more is pinned than the cache has room for.
#include "cache/cache_pins.h"

#include <filesystem>

#include "cache/disk_cache.h"
#include "tests/cache/disk_cache_fixture.h"
#include "tests/support/cache_places.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using testing::content_of;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::kMiB;
using testing::place_in;
using testing::value_of;

constexpr CacheLimits kSmall{.size_bytes = 4 << 20, .least_free_bytes = 0, .least_free_percent = 0};

SnapshotId snapshot_number(unsigned number) {
  SnapshotId id;
  id.bytes[0] = static_cast<std::byte>(number);
  return id;
}

class CachePins : public ::testing::Test {
 protected:
  void keep(const SealedPlace& place) {
    cache_->keep(place, Bytes::copy_of(as_bytes(content_of(place))));
    cache_->flush();
  }
  bool has(const SealedPlace& place) { return cache_->read(place).has_value(); }
  static PinnedPacks packs_of(const SealedPlace& place) {
    return {{cache_path(place), place.range.length}};
  }
  fs::path pins() const { return fs::path(base()) / kId / "pins"; }
  std::string base() const { return (dir_.path() / "cache").string(); }

  testing::TempDir dir_;
  std::shared_ptr<DiskCache> cache_ = value_of(DiskCache::open(base(), kId, kSmall));
};

TEST_F(CachePins, PinnedPacksSurviveAFloodOfData) {
  const SealedPlace data = place_in(1, 0, kMiB);
  const SealedPlace trees = place_in(2, 0, kMiB / 2, BlobType::kTree);
  keep(data);
  keep(trees);
  PinnedPacks packs = packs_of(data);
  packs.merge(packs_of(trees));
  ASSERT_OK(cache_->pin(snapshot_number(1), packs));
  for (unsigned pack = 10; pack < 20; ++pack) keep(place_in(pack, 0, kMiB, BlobType::kTree));
  EXPECT_TRUE(has(data));
  EXPECT_TRUE(has(trees));
  EXPECT_TRUE(has(place_in(19, 0, kMiB, BlobType::kTree)));
  EXPECT_TRUE(cache_->unpin(snapshot_number(1)));
  EXPECT_FALSE(cache_->unpin(snapshot_number(1)));
  for (unsigned pack = 10; pack < 20; ++pack) keep(place_in(pack, 1 * kMiB, kMiB));
  EXPECT_FALSE(has(data));
}

TEST_F(CachePins, TogetherMayNotExceedTheLimit) {
  ASSERT_OK(cache_->pin(snapshot_number(1), packs_of(place_in(1, 0, 2 * kMiB))));
  const Status second = cache_->pin(snapshot_number(2), packs_of(place_in(2, 0, 3 * kMiB)));
  EXPECT_THAT(second, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(second.error().for_people(), ::testing::HasSubstr("cache may take 4 MiB"));
  EXPECT_THAT(cache_->pins(), ElementsAre(snapshot_number(1)));
  // The same packs, pinned by another snapshot, need no additional room.
  EXPECT_OK(cache_->pin(snapshot_number(2), packs_of(place_in(1, 0, 2 * kMiB))));
  EXPECT_OK(cache_->pin(snapshot_number(1), packs_of(place_in(1, 0, 3 * kMiB))));
}

TEST_F(CachePins, GoWithTheirSnapshots) {
  for (const unsigned number : {1U, 2U}) {
    ASSERT_OK(cache_->pin(snapshot_number(number), packs_of(place_in(number, 0, 1000))));
  }
  testing::write_file(pins() / (std::string(64, 'b') + ".new"), "left by a kill");
  cache_->retain_snapshots({snapshot_number(2).hex()});
  cache_->flush();
  EXPECT_THAT(cache_->pins(), ElementsAre(snapshot_number(2)));
  EXPECT_THAT(testing::names_in(pins()), ElementsAre(snapshot_number(2).hex()));
}

TEST_F(CachePins, TheReadableLinesOfADamagedPinCount) {
  const std::string path = cache_path(place_in(1, 0, 0));
  ASSERT_OK(cache_->pin(snapshot_number(1), {}));
  testing::write_file(
      pins() / snapshot_number(1).hex(),
      "data/../../../etc/passwd 7\n\nindex/1 2\n" + path + " 55\n" + path + " 7x\n" + path);
  const CacheFolder folder = value_of(CacheFolder::look_at(base() + "/" + kId));
  EXPECT_EQ(pinned_packs(folder), (PinnedPacks{{path, 55}}));
  EXPECT_THAT(pinned_packs(folder, snapshot_number(1).hex()), IsEmpty());
}

}  // namespace
}  // namespace restree
