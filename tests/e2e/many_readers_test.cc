// Many programs that copy out of a mount at once: how much of the repository is read for them, and
// how much memory they take.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/mounted_over_ssh.h"
#include "tests/support/programs.h"
#include "tests/support/restic.h"
#include "tests/support/scale.h"
#include "tests/support/sshd.h"
#include "tests/support/status_fields.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReaders = 32;
constexpr std::uint64_t kRandomBytes = 4 * kMiB;  // chunks of 1.5 MiB on average
// As restic cuts what repeats itself: chunks of the largest size.
constexpr std::uint64_t kChunkBytes = 8 * kMiB;
constexpr std::uint64_t kMemory = 16 * kMiB;

class ManyReaders : public ::testing::Test {
 protected:
  ManyReaders() {
    restic_.init();
    fs::create_directories(source());
  }
  fs::path source() const { return dir_.path() / "source"; }
  fs::path file(std::size_t number) const {
    return fs::path("apps/a/latest") / std::to_string(number);
  }
  void add(std::size_t number, std::string_view content) {
    write_file(source() / std::to_string(number), content);
  }
  void save() { restic_.backup({"--tag", "app=a", source().string()}); }

  static std::uint64_t number(const Mounted& mounted, const std::string& name) {
    return std::stoull(status_fields(read_file(mounted / ".restree/status")).at(name));
  }
  static void expect_within_memory(const Mounted& mounted) {
    const std::uint64_t peak = number(mounted, "memory_peak_bytes");
    if (programs_are_sanitized()) {
      EXPECT_GT(peak, kMemory);
    } else {
      EXPECT_LE(peak, kMemory + 100 * kMiB);
    }
  }
  // All files at once; each must be what was saved.
  void read_all(const Mounted& mounted, std::size_t count = kReaders) {
    std::vector<std::jthread> readers;
    for (std::size_t i = 0; i < count; ++i) {
      readers.emplace_back([&, i] {
        EXPECT_TRUE(read_file(mounted / file(i)) == read_file(source() / std::to_string(i))) << i;
      });
    }
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
};

class ManyReadersOverSsh : public ManyReaders, public ::testing::WithParamInterface<const char*> {};

TEST_P(ManyReadersOverSsh, FetchTheirBytesOnce) {
  for (std::size_t i = 0; i < kReaders; ++i) add(i, random_bytes(i + 1, kRandomBytes));
  save();
  const Sshd sshd;
  const Mounted mounted(mount_over_ssh(restic_, sshd, SshTransport::kBuiltIn,
                                       {"memory=16M", std::string(GetParam())}));
  ASSERT_FALSE(names_in(mounted / "apps/a/latest").empty());
  const std::uint64_t before = number(mounted, "fetched_bytes");
  read_all(mounted);
  const std::uint64_t fetched = number(mounted, "fetched_bytes") - before;
  EXPECT_LE(fetched, kReaders * kRandomBytes * 11 / 10) << read_file(mounted / ".restree/status");
  expect_within_memory(mounted);
}
INSTANTIATE_TEST_SUITE_P(Caches, ManyReadersOverSsh,
                         ::testing::Values("no_cache", "cache_size=1G"));

// More at once than the kernel gives to a mount.
TEST_F(ManyReaders, AThousandFetchTheirBytesOnceAndStayWithinMemory) {
  const std::size_t count = scaled(1100, 400);
  constexpr std::uint64_t kFileBytes = 600 << 10;  // one or two chunks
  for (std::size_t i = 0; i < count; ++i) add(i, random_bytes(i + 1, kFileBytes));
  save();
  const Sshd sshd;
  const Mounted mounted(
      mount_over_ssh(restic_, sshd, SshTransport::kBuiltIn, {"memory=16M", "no_cache"}));
  ASSERT_EQ(names_in(mounted / "apps/a/latest").size(), count);
  const std::uint64_t before = number(mounted, "fetched_bytes");
  read_all(mounted, count);
  const std::uint64_t fetched = number(mounted, "fetched_bytes") - before;
  EXPECT_LE(fetched, count * kFileBytes * 11 / 10) << read_file(mounted / ".restree/status");
  expect_within_memory(mounted);
}

TEST_F(ManyReaders, OfLargeChunksStayWithinTheMemoryThatIsAllowed) {
  for (std::size_t i = 0; i < kReaders; ++i) {
    const std::string line = "this is line number " + std::to_string(i) + " of a log\n";
    std::string content;
    while (content.size() < kChunkBytes) content += line;
    content.resize(kChunkBytes);
    add(i, content);
  }
  save();
  const Mounted mounted(restic_, {"memory=16M"});
  read_all(mounted);
  expect_within_memory(mounted);
}

}  // namespace
}  // namespace restree::testing
