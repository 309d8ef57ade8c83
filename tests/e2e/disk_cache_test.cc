// A mount over SSH and the cache that it leaves on the disk: whether it spares the line, and what
// kills and damage do to it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
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
  {
    Mounted first(request());
    EXPECT_THAT(differences_in(first), IsEmpty());
    first.unmount();
  }
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
    const std::uint64_t least = bytes_below(source());
    const auto by = Deadline::after(std::chrono::minutes(2));
    while (bytes_below(cache() / "data") < least && !by.expired()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
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
  {
    Mounted mounted(request());
    EXPECT_THAT(differences_in(mounted), IsEmpty());
    mounted.unmount();
  }
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
  {
    Mounted mounted(local);
    EXPECT_THAT(differences_in(mounted), IsEmpty());
    mounted.unmount();
  }
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

TEST_F(DiskCacheMount, StaysWithinItsLimit) {
  Mounted mounted(request({"cache_size=3M"}));
  EXPECT_THAT(differences_in(mounted), IsEmpty());
  mounted.unmount();
  const std::uint64_t sum = bytes_below(cache());
  EXPECT_LE(sum, 3 * kMiB);
  EXPECT_GT(sum, kMiB);
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
  for (unsigned round = 0; round < scaled(20, 6); ++round) {
    Mounted mounted(request());
    // Several readers; each ends with an error, at the latest when the mount dies.
    std::vector<std::future<void>> readers;
    for (const char* what : {"large", "other", "1/1", "2/2"}) {
      readers.push_back(std::async(std::launch::async, [&mounted, what] {
        errno_of_reading(mounted / "apps/a/latest" / what);
      }));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(luck() % 150));
    mounted.kill();
  }
  Mounted mounted(request());
  EXPECT_THAT(differences_in(mounted), IsEmpty());
  mounted.unmount();
}

TEST_F(DiskCacheMount, FlipsHolesAndCutsInItsFilesAreNoWrongBytes) {
  SplitMix64 luck(5);
  {
    Mounted mounted(request());
    EXPECT_THAT(differences_in(mounted), IsEmpty());
    mounted.unmount();
  }
  for (int round = 0; round < 4; ++round) {
    std::uint64_t damaged = 0;
    for (const fs::path& file : files_below(cache())) {
      const std::uint64_t size = fs::file_size(file);
      for (std::uint64_t i = 0; i < 1 + size / (128 << 10); ++i, ++damaged) {
        const std::uint64_t at = luck() % std::max<std::uint64_t>(size, 1);
        if (size == 0) continue;
        if (const auto kind = luck() % 8; kind < 5) {
          flip_byte(file, at);
        } else if (kind < 7) {
          const UniqueFd fd(::open(file.c_str(), O_RDWR));
          ASSERT_EQ(::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                static_cast<off_t>(at), static_cast<off_t>(1 + luck() % 20'000)),
                    0);
        } else if (i == 0) {
          fs::resize_file(file, at);
          break;
        }
      }
    }
    ASSERT_GT(damaged, 20U);
    Mounted mounted(request());
    EXPECT_THAT(differences_in(mounted), IsEmpty());
    mounted.unmount();
  }
  const WithoutPacks gone;
  Mounted healed(request());
  EXPECT_THAT(differences_in(healed), IsEmpty());
  healed.unmount();
}

}  // namespace
}  // namespace restree::testing
