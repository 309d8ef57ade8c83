#include "fs/report/mount_status.h"

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cache/disk_cache.h"
#include "fs/mount.h"
#include "fs/restreefs/status_sources.h"
#include "fs/restreefs/warming.h"
#include "repo/storage/decorators/breaker_storage.h"
#include "tests/support/manual_page.h"
#include "tests/support/memory_repository.h"
#include "tests/support/status_fields.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using std::chrono::system_clock;
using testing::file_node;
using testing::MemoryRepository;
using testing::status_fields;
using testing::value_of;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

TEST(StatusJson, WritesKnownValuesAndNullForTheRest) {
  MountStatus status;
  status.online = false;
  status.since = system_clock::from_time_t(1'788'231'605);
  status.connections = 3;
  status.served_bytes = 12;
  const auto fields = status_fields(status_json(status));
  EXPECT_EQ(fields.at("online"), "false");
  EXPECT_EQ(fields.at("since"), "2026-09-01T03:00:05Z");
  EXPECT_EQ(fields.at("connections"), "3");
  EXPECT_EQ(fields.at("served_bytes"), "12");
  EXPECT_EQ(fields.at("round_trip_us"), "null");
  EXPECT_EQ(fields.at("listed"), "null");
}

// The kernel reads no further than the size in the attributes.
TEST(StatusJson, HasTheSameLengthWhateverTheValues) {
  MountStatus status;
  EXPECT_EQ(status_json(status).size(), status_bytes());
  status.online = false;
  status.since = status.listed = system_clock::now();
  for (auto* number :
       {&status.audit_findings,        &status.connections,      &status.round_trip_us,
        &status.bytes_per_second,      &status.requests,         &status.failed_requests,
        &status.fetched_bytes,         &status.cache_hits,       &status.cache_misses,
        &status.cache_hit_bytes,       &status.cache_kept_bytes, &status.cache_left_out,
        &status.cache_damaged,         &status.second_blobs,     &status.prefetch_used_bytes,
        &status.prefetch_wasted_bytes, &status.warm_bytes,       &status.warm_bytes_done,
        &status.memory_bytes,          &status.memory_peak_bytes}) {
    *number = kMost;
  }
  for (auto* number : {&status.reads, &status.served_bytes, &status.given_up_bytes, &status.errors,
                       &status.inodes, &status.index_blobs, &status.index_bytes}) {
    *number = kMost;
  }
  const std::string json = status_json(status);
  EXPECT_EQ(json.size(), status_bytes());
  EXPECT_EQ(status_fields(json).at("cache_hits"), std::to_string(kMost));
  // One request of the kernel's brings a whole page.
  EXPECT_LE(status_bytes(), 4096U);
}

TEST(StatusJson, EachFieldIsInTheManualPage) {
  std::vector<std::string> names;
  for (const auto& [name, value] : status_fields(status_json({}))) names.push_back(name);
  const auto documented =
      testing::documented_names(RESTREE_SOURCE_DIR "/man/restreefs.8", "STATUS");
  EXPECT_THAT(documented, ::testing::UnorderedElementsAreArray(names));
}

class StatusOfMount : public ::testing::Test {
 protected:
  StatusOfMount() {
    auto& builder = memory_.builder();
    const BlobId lost{{std::byte{1}}};
    snapshot_ = builder.add_snapshot(builder.add_tree(
        {file_node("f", {builder.add_data("content")}, 7), file_node("lost", {lost}, 5)}));
    builder.finish();
    const std::shared_ptr<Storage> inner(&memory_.storage(), [](Storage*) {});
    storage_ = std::make_shared<BreakerStorage>(inner, BreakerTiming());
    repository_ = value_of(
        Repository::open(storage_, Secret(std::string(testing::kPassword)), "", testing::soon()));
    cache_ = value_of(
        DiskCache::open((dir_.path() / "restree").string(), std::string(64, 'a'),
                        {.size_bytes = 1 << 30, .least_free_bytes = 0, .least_free_percent = 0}));
    repository_->use_cache(cache_);
    MountOptions options;
    options.more_status = status_of({.storage = storage_,
                                     .cache = cache_,
                                     .fetcher = nullptr,
                                     .connections = connections_,
                                     .warmed = warmed_});
    mount_ = value_of(Mount::open(*repository_, std::move(options)));
  }

  auto read(const std::string& name) {
    std::uint64_t inode = Namespace::kRootInode;
    for (const auto& step : {std::string("ids"), snapshot_, name}) {
      inode = value_of(mount_->lookup(inode, step)).value().inode;
    }
    return mount_->read(inode, 0, 4096);
  }

  testing::TempDir dir_;
  MemoryRepository memory_{2};
  std::string snapshot_;
  std::shared_ptr<BreakerStorage> storage_;
  std::shared_ptr<std::atomic<unsigned>> connections_ = std::make_shared<std::atomic<unsigned>>(2);
  std::shared_ptr<WarmProgress> warmed_ = std::make_shared<WarmProgress>();
  std::unique_ptr<Repository> repository_;
  std::shared_ptr<DiskCache> cache_;
  std::unique_ptr<Mount> mount_;
};

TEST_F(StatusOfMount, SaysHowFarWarmingIs) {
  EXPECT_EQ(mount_->status().warm_bytes, 0U);
  {
    WarmFigures first;
    warmed_->begin(first);
    first.bytes_total = 10;
    first.bytes_done = 4;
    EXPECT_EQ(mount_->status().warm_bytes, 10U);
    EXPECT_EQ(mount_->status().warm_bytes_done, 4U);
    first.bytes_done = 10;
    warmed_->end();
  }
  WarmFigures second;
  warmed_->begin(second);
  second.bytes_total = 7;
  EXPECT_EQ(mount_->status().warm_bytes, 17U);
  EXPECT_EQ(mount_->status().warm_bytes_done, 10U);
  warmed_->end();
}

TEST_F(StatusOfMount, CountsTheBytesThatProgramsGot) {
  ASSERT_OK(read("f"));
  EXPECT_FALSE(read("lost"));
  const MountStatus status = mount_->status();
  EXPECT_EQ(status.reads, 1U);
  EXPECT_EQ(status.served_bytes, 7U);
  EXPECT_EQ(status.errors, 1U);
  EXPECT_EQ(status.index_blobs, 2U);
  EXPECT_GT(status.index_bytes, 0U);
  EXPECT_EQ(status.inodes, 2U);
  EXPECT_GT(status.memory_bytes.value_or(0), 1U << 20);
  EXPECT_GE(status.memory_peak_bytes.value_or(0), status.memory_bytes.value_or(0) / 2);
}

TEST_F(StatusOfMount, HasTheFiguresOfServerAndCache) {
  ASSERT_OK(read("f"));
  const MountStatus status = mount_->status();
  EXPECT_TRUE(status.online);
  EXPECT_TRUE(status.since);
  EXPECT_TRUE(status.listed);
  EXPECT_EQ(status.connections, 2U);
  EXPECT_GT(status.requests.value_or(0), 5U);
  EXPECT_GT(status.fetched_bytes.value_or(0), 100U);
  EXPECT_EQ(status.failed_requests, 0U);
  EXPECT_EQ(status.cache_hits, 0U);
  EXPECT_EQ(status.cache_misses, 2U);  // a tree, a chunk
}

TEST_F(StatusOfMount, SaysThatTheServerIsAwayAndSinceWhen) {
  const auto before = mount_->status().since;
  const auto refuse = [](const FileName&) -> Status {
    return Error(ErrorKind::kUnavailable, "nobody there");
  };
  memory_.storage().watch(refuse);
  memory_.storage().watch_sizes(refuse);
  storage_->believe_away(Error(ErrorKind::kUnavailable, "unplugged"));
  const MountStatus status = mount_->status();
  EXPECT_FALSE(status.online);
  EXPECT_GE(status.since, before);
}

}  // namespace
}  // namespace restree
