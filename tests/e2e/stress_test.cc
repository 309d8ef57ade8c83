// Many readers, a changing repository and a hurried end, all at once. Runs under the sanitizers
// too.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/restic.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kReaders = 8;

class Stress : public ::testing::Test {
 protected:
  void SetUp() override {
    const int files = static_cast<int>(scaled(4000, 200));
    for (int i = 0; i < files; ++i) {
      const fs::path folder = source_ / std::to_string(i % 40) / std::to_string(i % 7);
      fs::create_directories(folder);
      write_random_file(folder / std::to_string(i), std::uint64_t(i),
                        1 + std::uint64_t(i) * 37 % 30000);
    }
    write_random_file(source_ / "big", 1, scaled(128 * kMiB, 16 * kMiB));
    for (const auto& path : files_below(source_)) {
      expected_.emplace_back(fs::path(path).lexically_relative(source_), read_file(path));
    }
    restic_.init();
    id_ = restic_.backup({"--tag", "app=a", source_.string()});
  }

  fs::path shown(const Mounted& mounted) const {
    return mounted / "ids" / id_ / source_.relative_path();
  }
  // Reads all files in an order of its own; returns how many had wrong bytes.
  int read_all(const fs::path& root, unsigned seed) const {
    std::vector<std::size_t> order(expected_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), std::mt19937(seed));
    int wrong = 0;
    for (const std::size_t i : order) {
      const auto& [path, content] = expected_[i];
      try {
        if (read_file(root / path) != content) ++wrong;
        if (i % 16 == 0) names_in((root / path).parent_path());
      } catch (const std::system_error&) {
        ++wrong;
      }
    }
    return wrong;
  }

  TempDir dir_;
  fs::path source_ = dir_.path() / "source";
  Restic restic_{dir_.path() / "home"};
  std::vector<std::pair<fs::path, std::string>> expected_;
  std::string id_;
};

TEST_F(Stress, EightReadersSeeRightBytesWhileSnapshotsComeAndGo) {
  // Little memory, so that caches evict while others read.
  const Mounted mounted(restic_, {"refresh=1", "memory=16M"});
  std::atomic<int> wrong{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (unsigned seed = 0; seed < kReaders; ++seed) {
    readers.emplace_back([&, seed] { wrong += read_all(shown(mounted), seed); });
  }
  std::thread lister([&] {
    while (!done) {
      for (const char* view : {"", "apps", "apps/a", "ids", "snapshots", "tags", "hosts"}) {
        if (names_in(mounted / view).empty()) ++wrong;
      }
      mounted.signal(SIGHUP);
    }
  });
  for (int i = 0; i < 3; ++i) {
    write_file(source_ / "changing", std::to_string(i));
    const std::string later = restic_.backup({"--tag", "app=a", source_.string()});
    const fs::path there = mounted / "ids" / later;
    if (!holds_within(std::chrono::seconds(patient(20)), [&] { return fs::exists(there); }))
      ++wrong;
    restic_.forget(later);
    if (!holds_within(std::chrono::seconds(patient(20)), [&] { return !fs::exists(there); }))
      ++wrong;
  }
  for (auto& reader : readers) reader.join();
  done = true;
  lister.join();
  EXPECT_EQ(wrong, 0) << mounted.log();
}

TEST_F(Stress, EightReadersOfOneFileGetTheSameBytes) {
  const Mounted mounted(restic_);
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] {
      if (read_file(shown(mounted) / "big") != read_file(source_ / "big")) ++wrong;
    });
  }
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(Stress, ItEndsCleanlyInTheMiddleOfEightReaders) {
  Mounted mounted(restic_);
  std::atomic<int> reading{0};
  std::vector<std::thread> readers;
  for (unsigned seed = 0; seed < kReaders; ++seed) {
    readers.emplace_back([&, seed] {
      ++reading;
      read_all(shown(mounted), seed);  // fails once the mount is gone
    });
  }
  ASSERT_TRUE(holds_within(std::chrono::seconds(60), [&] { return reading == kReaders; }));
  mounted.signal(SIGTERM);
  mounted.expect_end();
  for (auto& reader : readers) reader.join();
}

TEST_F(Stress, MountingAndEndingOftenLeavesNothingBehind) {
  const int rounds = static_cast<int>(scaled(10, 3));
  for (int i = 0; i < rounds; ++i) {
    const Mounted mounted(restic_);
    ASSERT_EQ(names_in(mounted / "ids").size(), 1U);
  }
}

}  // namespace
}  // namespace restree::testing
