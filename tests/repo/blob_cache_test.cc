#include "repo/blob_cache.h"

#include <string>

#include "tests/support/matchers.h"
#include "tests/support/memory_blobs.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::MemoryBlobs;
using testing::value_of;

class BlobCacheTest : public ::testing::Test {
 protected:
  std::string load(const BlobId& id, BlobType type = BlobType::kData) {
    const SharedBlob blob = value_of(cache_.load(type, id, Deadline::never()));
    return std::string(as_text(blob->view()));
  }
  MemoryBlobs blobs_;
  BlobCache cache_{blobs_, 10'000};
};

TEST_F(BlobCacheTest, AsksTheSourceOnce) {
  const BlobId id = blobs_.add("content");
  EXPECT_FALSE(cache_.knows(BlobType::kData, id));
  EXPECT_EQ(load(id), "content");
  EXPECT_EQ(load(id), "content");
  EXPECT_EQ(blobs_.loads(), 1U);
  EXPECT_TRUE(cache_.knows(BlobType::kData, id));
}

TEST_F(BlobCacheTest, DistinguishesDataAndTrees) {
  const BlobId id = blobs_.add("content");
  load(id);
  EXPECT_FALSE(cache_.knows(BlobType::kTree, id));
  load(id, BlobType::kTree);
  EXPECT_EQ(blobs_.loads(), 2U);
}

TEST_F(BlobCacheTest, IsBoundedAlsoByTheNumberOfEmptyBlobs) {
  for (int i = 0; i < 1000; ++i) {
    BlobId id;
    id.bytes[0] = static_cast<std::byte>(i % 256);
    id.bytes[1] = static_cast<std::byte>(i / 256);
    blobs_.put(id, "");
    load(id);
  }
  EXPECT_FALSE(cache_.knows(BlobType::kData, BlobId{}));
}

TEST_F(BlobCacheTest, HandsOnTheSourcesFailure) {
  const BlobId id = blobs_.add("content");
  blobs_.fail(id, Error(ErrorKind::kUnavailable, "the line is down"));
  EXPECT_THAT(cache_.load(BlobType::kData, id, Deadline::never()),
              FailsWith(ErrorKind::kUnavailable));
}

}  // namespace
}  // namespace restree
