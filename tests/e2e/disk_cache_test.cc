// A mount over SSH and the cache that it leaves on the disk: whether it spares the line, and what
// kills and damage do to it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include "cache/cache_usage.h"
#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/filled_cache.h"
#include "tests/support/matchers.h"
#include "tests/support/mounted_over_ssh.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/split_mix.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A repository with one snapshot of small and large files, and a server that shows it.
class DiskCacheMount : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<Shared>();
    const std::uint64_t large = scaled(24 * kMiB, 4 * kMiB);
    write_random_file(shared_->source / "large", 1, large);
    write_random_file(shared_->source / "other", 2, large / 2);
    for (unsigned i = 0; i < scaled(600, 100); ++i) {
      const fs::path folder = shared_->source / std::to_string(i % 20);
      fs::create_directory(folder);
      write_file(folder / std::to_string(i), random_bytes(100 + i, 200 + i * 31 % 9000));
    }
    shared_->restic.init();
    shared_->restic.backup({"--tag", "app=a", shared_->source.string()});
  }
  static void TearDownTestSuite() { shared_.reset(); }

  static MountRequest request(std::vector<std::string> options = {}) {
    MountRequest made =
        mount_over_ssh(restic(), shared_->sshd, SshTransport::kBuiltIn, std::move(options));
    made.cache = shared_->dir.path() / "cache" / name_of_test();
    return made;
  }
  static std::string name_of_test() {
    return ::testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  static std::string differences_in(const Mounted& mounted) {
    return differences(mounted / "apps/a/latest", source());
  }
  static void is_source(const Mounted& mounted) { EXPECT_THAT(differences_in(mounted), IsEmpty()); }
  // Whatever bytes of a file can be read are the source's, up to an error or its end.
  static bool is_right_as_far_as_it_can_be_read(const Mounted& mounted, const std::string& name) {
    const UniqueFd shown(::open((mounted / "apps/a/latest" / name).c_str(), O_RDONLY));
    const std::string right = read_file(source() / name);
    std::string read(64 << 10, '\0');
    for (std::size_t at = 0;;) {
      const ssize_t count = shown ? ::read(shown.get(), read.data(), read.size()) : -1;
      if (count <= 0) return count < 0 || at == right.size();
      const auto size = static_cast<std::size_t>(count);
      if (right.compare(at, size, read, 0, size) != 0) return false;
      at += size;
    }
  }
  // Where the cache of this test's mounts lies.
  static fs::path cache() {
    const fs::path base = request().cache / "restree";
    for (const std::string& name : names_in(base)) {
      if (name.size() == 64) return base / name;
    }
    return base / "none";
  }
  static const Restic& restic() { return shared_->restic; }
  static const fs::path& source() { return shared_->source; }

  // Without their holes.
  static std::uint64_t bytes_below(const fs::path& folder) {
    std::uint64_t sum = 0;
    if (!fs::exists(folder)) return sum;
    for (const fs::path& file : files_below(folder)) {
      struct stat attributes {};
      if (::lstat(file.c_str(), &attributes) == 0) {
        sum += static_cast<std::uint64_t>(attributes.st_blocks) * 512;
      }
    }
    return sum;
  }

  // Packs are out of the server's reach as long as this lives.
  class WithoutPacks {
   public:
    WithoutPacks() { fs::rename(data_, hidden_); }
    ~WithoutPacks() { fs::rename(hidden_, data_); }
    WithoutPacks(const WithoutPacks&) = delete;
    WithoutPacks& operator=(const WithoutPacks&) = delete;

   private:
    const fs::path data_ = restic().repository() / "data";
    const fs::path hidden_ = restic().repository() / "hidden";
  };

 private:
  struct Shared {
    TempDir dir;
    fs::path source = dir.path() / "source";
    Restic restic{dir.path() / "home"};
    Sshd sshd;
    Shared() { fs::create_directory(source); }
  };
  static std::unique_ptr<Shared> shared_;
};
std::unique_ptr<DiskCacheMount::Shared> DiskCacheMount::shared_;

TEST_F(DiskCacheMount, TheSecondMountNeedsNoPackOfTheServers) {
  fill_cache(request(), is_source);
  const WithoutPacks gone;
  Mounted second(request());
  EXPECT_THAT(differences_in(second), IsEmpty());
  EXPECT_THAT(second.log(), IsEmpty());
  second.unmount();
}

TEST_F(DiskCacheMount, ThatWarmsASnapshotNeedsNoneOfItsPacksLater) {
  {
    Mounted first(request({"warm=a"}));
    // Nobody reads from it. What is random takes as much sealed, and little more.
    std::uint64_t least = 0;
    for (const fs::path& file : files_below(source())) least += fs::file_size(file);
    const auto by = Deadline::after(std::chrono::minutes(2));
    while (bytes_below(cache() / "data") < least && !by.expired()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_FALSE(by.expired());
    first.unmount();
  }
  const WithoutPacks gone;
  Mounted second(request({"warm=a"}));
  EXPECT_THAT(differences_in(second), IsEmpty());
  second.unmount();
}

TEST_F(DiskCacheMount, WithoutACacheEveryMountNeedsThem) {
  {
    Mounted first(request({"no_cache"}));
    EXPECT_THAT(differences_in(first), IsEmpty());
    first.unmount();
  }
  const WithoutPacks gone;
  Mounted second(request({"no_cache"}));
  EXPECT_NE(errno_of_reading(second / "apps/a/latest/large"), 0);
  EXPECT_THAT(names_in(request().cache), IsEmpty());
  second.unmount();
}

TEST_F(DiskCacheMount, IsSharedWithRestore) {
  fill_cache(request(), is_source);
  const WithoutPacks gone;
  const TempDir target;
  Sshd sshd;
  const Finished restored = RestreeProgram(restic(), sshd)
                                .run({"restore", "latest", "--target", target.path().string(),
                                      "--cache-dir", request().cache.string()});
  EXPECT_TRUE(restored.ok()) << restored.report();
  EXPECT_THAT(differences(target.path() / source().relative_path(), source()), IsEmpty());
}

TEST_F(DiskCacheMount, ALocalRepositoryHasOneWhereItIsAskedFor) {
  MountRequest local = mount_of(restic());
  local.cache = request().cache;
  {
    Mounted mounted(local);
    EXPECT_THAT(differences_in(mounted), IsEmpty());
    EXPECT_THAT(names_in(local.cache), IsEmpty());
    mounted.unmount();
  }
  local.options.push_back("cache_dir=" + local.cache.string());
  fill_cache(local, is_source);
  const WithoutPacks gone;
  Mounted second(local);
  EXPECT_THAT(differences_in(second), IsEmpty());
  second.unmount();
}

TEST_F(DiskCacheMount, AMountOverItsOwnCacheIsRefused) {
  for (const char* below : {"", "restree", "restree/deeper"}) {
    MountRequest over = request();
    over.mount_point = over.cache / below;
    fs::create_directories(over.mount_point);
    const Finished refused = try_mount(over);
    EXPECT_EQ(refused.exit_code, 1) << below;
    EXPECT_THAT(refused.err, HasSubstr("cache")) << below;
    fs::remove_all(over.cache / "restree");
  }
}

TEST_F(DiskCacheMount, StaysWithinItsLimitUnderFourMountsAtOnce) {
  constexpr std::uint64_t kLimit = 6 * kMiB;
  const MountRequest small = request({"cache_size=6M"});
  std::vector<std::unique_ptr<Mounted>> mounts;
  for (int i = 0; i < 4; ++i) mounts.push_back(std::make_unique<Mounted>(small));
  std::uint64_t most = 0;
  {
    std::atomic<int> reading = 4;
    std::vector<std::jthread> readers;
    for (const auto& mounted : mounts) {
      readers.emplace_back([&reading, &mounted = *mounted] {
        EXPECT_THAT(differences_in(mounted), IsEmpty());
        --reading;
      });
    }
    const CacheFolder folder = value_of(CacheFolder::look_at(cache()));
    CacheUsage usage(folder);
    while (reading > 0) {
      // While nothing changes: what goes and comes during a walk would be counted twice.
      const auto turn = usage.take_turn(Deadline::after(std::chrono::seconds(60)));
      ASSERT_TRUE(turn) << turn.error().message();
      most = std::max(most, bytes_below(cache()));
    }
  }
  for (const auto& mounted : mounts) {
    EXPECT_THAT(mounted->log(), IsEmpty());
    mounted->unmount();
  }
  most = std::max(most, bytes_below(cache()));
  // What a mount cannot write in time on a busy disk it leaves out, for the next reader to keep.
  const auto is_filled = [&] {
    if (most > kLimit / 2) return true;
    Mounted again(small);
    EXPECT_THAT(differences_in(again), IsEmpty());
    again.unmount();
    most = std::max(most, bytes_below(cache()));
    return most > kLimit / 2;
  };
  EXPECT_TRUE(holds_within(std::chrono::seconds(patient(60)), is_filled)) << most;
  EXPECT_LE(most, kLimit + kLimit / 50);
}

TEST_F(DiskCacheMount, OnAFullDiskReadsGoOnWithOneWarning) {
  const MountRequest crowded = request({"cache_min_free=0"});
  fs::create_directories(crowded.cache);
  ASSERT_EQ(::mount("none", crowded.cache.c_str(), "tmpfs", 0, "size=12m"), 0);
  {
    // What others leave of the disk is less than one pack needs. All of it holds what waits to be
    // written, which comes at once.
    const UniqueFd others(::open((crowded.cache / "others").c_str(), O_CREAT | O_WRONLY, 0600));
    EXPECT_EQ(::fallocate(others.get(), 0, 0, (12 << 20) - (300 << 10)), 0);
    Mounted mounted(crowded);
    EXPECT_THAT(differences_in(mounted), IsEmpty());
    const std::string log = mounted.log();
    EXPECT_THAT(log, HasSubstr("nothing more is kept in the cache"));
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
    mounted.unmount();
  }
  fs::remove(crowded.cache / "others");
  {
    // Its own alone fill it: then the oldest go.
    Mounted mounted(crowded);
    EXPECT_THAT(differences_in(mounted), IsEmpty());
    EXPECT_THAT(mounted.log(), IsEmpty());
    mounted.unmount();
  }
  EXPECT_GT(bytes_below(cache()), kMiB);
  EXPECT_EQ(::umount2(crowded.cache.c_str(), MNT_DETACH), 0);
}

TEST_F(DiskCacheMount, ACacheDeletedUnderAMountIsDoneWithout) {
  Mounted mounted(request());
  EXPECT_EQ(errno_of_reading(mounted / "apps/a/latest/other"), 0);
  fs::remove_all(request().cache / "restree");
  EXPECT_THAT(differences_in(mounted), IsEmpty());
  mounted.unmount();
  const std::string log = mounted.log();
  EXPECT_THAT(log, HasSubstr("deleted"));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
}

TEST_F(DiskCacheMount, KillsUnderLoadLeaveNoWrongByte) {
  SplitMix64 luck(11);
  // A second and more each: RESTREE_TEST_SCALE=5 makes them 200.
  const std::uint64_t kills = scaled(40, 6);
  for (std::uint64_t round = 0; round < kills; ++round) {
    Mounted mounted(request());
    // Several readers; each ends with an error, at the latest when the mount dies.
    std::vector<std::future<bool>> readers;
    for (const char* what : {"large", "other", "1/1", "2/2"}) {
      readers.push_back(std::async(std::launch::async, [&mounted, what] {
        return is_right_as_far_as_it_can_be_read(mounted, what);
      }));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(luck() % 150));
    mounted.kill();
    for (auto& reader : readers) EXPECT_TRUE(reader.get()) << "round " << round;
    // As often as not the cache is nearly empty still, so that there is something to write.
    if (round % 8 == 7) fs::remove_all(cache() / "data");
  }
  Mounted mounted(request());
  EXPECT_THAT(differences_in(mounted), IsEmpty());
  EXPECT_THAT(mounted.log(), IsEmpty());
  mounted.unmount();
}

enum class Cuts { kNo, kToo };

// Damages what lies in the cache, in some places of each file; in how many.
std::uint64_t damage(const fs::path& cache, SplitMix64& luck, Cuts cuts) {
  std::uint64_t damaged = 0;
  for (const fs::path& path : files_below(cache)) {
    // It may have gone since, or be replaced just now.
    const UniqueFd file(::open(path.c_str(), O_RDWR));
    struct stat attributes {};
    if (!file || ::fstat(file.get(), &attributes) != 0 || attributes.st_size == 0) continue;
    const auto size = static_cast<std::uint64_t>(attributes.st_size);
    for (std::uint64_t i = 0; i < 1 + size / (128 << 10); ++i, ++damaged) {
      const auto at = static_cast<off_t>(luck() % size);
      if (luck() % 8 < 5) {
        char byte = 0;
        if (::pread(file.get(), &byte, 1, at) != 1) continue;
        byte = static_cast<char>(byte ^ (1 << luck() % 8));
        EXPECT_EQ(::pwrite(file.get(), &byte, 1, at), 1);
      } else {
        EXPECT_EQ(::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
                              static_cast<off_t>(1 + luck() % 20'000)),
                  0);
      }
    }
    // Last, as it takes away some of what was damaged above.
    if (cuts == Cuts::kToo && luck() % 8 == 0) {
      EXPECT_EQ(::ftruncate(file.get(), static_cast<off_t>(luck() % size)), 0);
      ++damaged;
    }
  }
  return damaged;
}

TEST_F(DiskCacheMount, FlipsHolesAndCutsInItsFilesAreNoWrongBytes) {
  SplitMix64 luck(5);
  fill_cache(request(), is_source);
  const std::uint64_t rounds = scaled(20, 4);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    ASSERT_GT(damage(cache(), luck, Cuts::kToo), 20U);
    Mounted mounted(request());
    std::atomic<bool> done = false;
    std::jthread meanwhile([&] {
      // Every other time also what is being read just now.
      while (round % 2 == 1 && !done) {
        damage(cache(), luck, Cuts::kNo);  // not all day, or nothing would be left to be damaged
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    });
    EXPECT_THAT(differences_in(mounted), IsEmpty());
    done = true;
    meanwhile.join();
    mounted.unmount();
  }
  fill_cache(request(), is_source);
  const WithoutPacks gone;
  Mounted healed(request());
  EXPECT_THAT(differences_in(healed), IsEmpty());
  healed.unmount();
}

}  // namespace
}  // namespace restree::testing
