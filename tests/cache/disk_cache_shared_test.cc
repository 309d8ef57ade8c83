// A disk cache in company: several at once, killed in mid write, on disks that are full or
// read-only.
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "cache/disk_cache.h"
#include "repo/base/log.h"
#include "repo/base/unique_fd.h"
#include "tests/cache/disk_cache_fixture.h"
#include "tests/support/cache_places.h"
#include "tests/support/matchers.h"
#include "tests/support/split_mix.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using testing::content_of;
using testing::kMiB;
using testing::place_in;
using testing::SplitMix64;
using testing::TempDir;
using testing::value_of;

constexpr std::uint64_t kLimit = 6 << 20;

std::uint64_t bytes_on_disk(const fs::path& folder) {
  std::uint64_t sum = 0;
  std::error_code failed;
  for (auto entry = fs::recursive_directory_iterator(folder, failed);
       entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
    struct stat attributes {};
    if (::lstat(entry->path().c_str(), &attributes) != 0 || !S_ISREG(attributes.st_mode)) continue;
    sum += static_cast<std::uint64_t>(attributes.st_blocks) * 512;
  }
  return sum;
}

// Reads and keeps at random places; what is read must be right or begin as a miss does. What a
// kill has torn is neither, and found out by its MAC in real life: here it must at least be bytes
// of the place, up to some point, and zeros from there on.
class Visitor {
 public:
  explicit Visitor(std::uint64_t seed) : next_(seed) {}

  void visit(DiskCache& cache) {
    const auto pack = static_cast<unsigned>(next_() % 24);
    const SealedPlace place = place_in(pack, next_() % 8 * 40'000, 40'000,
                                       pack % 8 == 0 ? BlobType::kTree : BlobType::kData);
    if (const auto sealed = cache.read(place)) {
      EXPECT_TRUE(is_right_or_torn(as_text(*sealed), content_of(place)));
      ++hits_;
    } else {
      cache.keep(place, Bytes::copy_of(as_bytes(content_of(place))));
    }
  }
  std::size_t hits() const { return hits_; }

 private:
  static bool is_right_or_torn(std::string_view read, std::string_view right) {
    for (std::size_t i = 0; i < read.size(); ++i) {
      if (read[i] != right[i] && read[i] != '\0') return false;
    }
    return true;
  }
  SplitMix64 next_;
  std::size_t hits_ = 0;
};

// Waits until so many bytes have come. False: the other end is gone.
bool takes_bytes(const UniqueFd& from, std::uint64_t count) {
  char byte = 0;
  for (std::uint64_t taken = 0; taken < count; ++taken) {
    if (::read(from.get(), &byte, 1) != 1) return false;
  }
  return true;
}

class SharedDiskCache : public ::testing::Test {
 protected:
  std::shared_ptr<DiskCache> open() {
    return value_of(DiskCache::open(
        base(), kId, {.size_bytes = kLimit, .least_free_bytes = 0, .least_free_percent = 0}));
  }
  std::string base() const { return (dir_.path() / "restree").string(); }
  TempDir dir_;
};

TEST_F(SharedDiskCache, SeveralTogetherStayBelowTheLimit) {
  std::atomic<bool> done = false;
  std::atomic<std::size_t> hits = 0;
  std::uint64_t most = 0;
  open();
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        const auto cache = open();
        Visitor visitor(i);
        for (int visits = 0; visits < 600; ++visits) visitor.visit(*cache);
        cache->flush();
        hits += visitor.hits();
      });
    }
    const std::jthread watch([&] {
      const CacheFolder folder = value_of(CacheFolder::look_at(base() + "/" + kId));
      CacheUsage usage(folder);
      while (!done) {
        // While nothing changes: what goes and comes during a walk would be counted twice.
        const auto turn = value_of(usage.take_turn(Deadline::after(std::chrono::seconds(60))));
        most = std::max(most, bytes_on_disk(base()));
      }
    });
    threads.clear();
    done = true;
  }
  most = std::max(most, bytes_on_disk(base()));
  EXPECT_LE(most, kLimit);
  EXPECT_GT(most, kLimit / 2);
  EXPECT_GT(hits, 0U);
}

TEST_F(SharedDiskCache, ThreadsShareOne) {
  const auto cache = open();
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        Visitor visitor(i);
        for (int visits = 0; visits < 300; ++visits) visitor.visit(*cache);
      });
    }
  }
  cache->flush();
  EXPECT_LE(bytes_on_disk(base()), kLimit);
  EXPECT_EQ(cache->figures().dropped, 0U);
}

TEST_F(SharedDiskCache, AKillAtAnyMomentLeavesItRight) {
  SplitMix64 luck(7);
  for (int round = 0; round < 12; ++round) {
    int visits[2] = {};
    ASSERT_EQ(::pipe(visits), 0);
    const UniqueFd read_end(visits[0]);
    UniqueFd write_end(visits[1]);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto cache = open();
      Visitor visitor(luck() + static_cast<std::uint64_t>(round));
      for (;;) {
        visitor.visit(*cache);
        if (::write(write_end.get(), "v", 1) != 1) ::_exit(1);
      }
    }
    write_end.reset();
    // The writer of the cache works beside the visits, so the kill meets it anywhere.
    EXPECT_TRUE(takes_bytes(read_end, 20 + luck() % 60)) << "the visitor has ended by itself";
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_LE(bytes_on_disk(base()), kLimit);
  }
  const auto cache = open();
  Visitor visitor(99);
  for (int visits = 0; visits < 400; ++visits) visitor.visit(*cache);
  cache->flush();
  EXPECT_GT(visitor.hits(), 0U);
  EXPECT_GT(cache->figures().kept_bytes, 0U);
  EXPECT_LE(bytes_on_disk(base()), kLimit);
}

// A disk of its own, which a test can fill.
class DiskCacheOnSmallDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::mount("none", dir_.path().c_str(), "tmpfs", 0, "size=3m") != 0) {
      GTEST_SKIP() << "a mount needs root";
    }
    mounted_ = true;
    ASSERT_OK(log::open_file((log_.path() / "log").string()));
  }
  void TearDown() override {
    if (mounted_) ::umount2(dir_.path().c_str(), MNT_DETACH);
  }
  std::shared_ptr<DiskCache> open(unsigned least_free_percent = 0) {
    return value_of(DiskCache::open(
        (dir_.path() / "restree").string(), kId,
        {.size_bytes = 1 << 30, .least_free_bytes = 0, .least_free_percent = least_free_percent}));
  }
  static void keep(DiskCache& cache, const SealedPlace& place) {
    cache.keep(place, Bytes::copy_of(as_bytes(content_of(place))));
    cache.flush();
  }
  static bool has(DiskCache& cache, const SealedPlace& place) {
    const auto sealed = cache.read(place);
    return sealed && as_text(*sealed) == content_of(place);
  }
  std::string warnings() const { return testing::read_file(log_.path() / "log"); }

  TempDir dir_;
  TempDir log_;
  bool mounted_ = false;
};

TEST_F(DiskCacheOnSmallDisk, MakesRoomForItselfWhereItHasFilledTheDisk) {
  const auto cache = open();
  for (unsigned pack = 0; pack < 20; ++pack) keep(*cache, place_in(pack, 0, kMiB / 2));
  EXPECT_TRUE(has(*cache, place_in(19, 0, kMiB / 2)));
  EXPECT_EQ(warnings(), "");
}

TEST_F(DiskCacheOnSmallDisk, LeavesThePartOfTheDiskThatMustStayFree) {
  const auto cache = open(50);
  for (unsigned pack = 0; pack < 20; ++pack) keep(*cache, place_in(pack, 0, kMiB / 4));
  const auto space = fs::space(dir_.path());
  EXPECT_GE(space.available, space.capacity / 2);
  EXPECT_LT(space.available, space.capacity * 3 / 4);
  EXPECT_EQ(warnings(), "");
}

TEST_F(DiskCacheOnSmallDisk, ADiskThatOthersHaveFilledIsToldOnce) {
  const auto cache = open();
  keep(*cache, place_in(1, 0, 100));
  std::string filling(3 * kMiB, 'x');
  try {
    testing::write_file(dir_.path() / "others", filling);
  } catch (const std::system_error&) {
  }
  for (unsigned pack = 2; pack < 6; ++pack) keep(*cache, place_in(pack, 0, kMiB));
  EXPECT_FALSE(has(*cache, place_in(2, 0, kMiB)));
  const std::string told = warnings();
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1) << told;
}

TEST_F(DiskCacheOnSmallDisk, OnAReadOnlyDiskWhatIsThereIsReadStill) {
  keep(*open(), place_in(1, 0, 1000));
  ASSERT_EQ(::mount("none", dir_.path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=3m"), 0);
  const auto cache = open();
  for (unsigned pack = 2; pack < 6; ++pack) keep(*cache, place_in(pack, 0, 1000));
  EXPECT_TRUE(has(*cache, place_in(1, 0, 1000)));
  EXPECT_FALSE(has(*cache, place_in(2, 0, 1000)));
  const std::string told = warnings();
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1) << told;
}

}  // namespace
}  // namespace restree
