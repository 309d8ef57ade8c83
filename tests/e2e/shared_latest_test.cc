// Processes that follow a link `latest` while another one copies through it, so that the kernel
// answers for the mount.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/process.h"
#include "tests/support/restic.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::Each;

constexpr std::size_t kReaders = 8;
constexpr const char* kText = "apps/a/latest/text";

class SharedLatest : public ::testing::Test {
 protected:
  SharedLatest() { restic_.init(); }
  void back_up(const std::string& text) {
    write_file(source_ / "text", text);
    restic_.backup({"--tag", "app=a", source_.string()});
  }
  // A shell that reads the file twice itself, the second time once `go` is there.
  std::string read_twice(const Mounted& mounted, std::size_t number) const {
    constexpr const char* kScript =
        "read first <\"$1\"; : >\"$2\"; while [ ! -e \"$3\" ]; do sleep 0.05; done; "
        "read second <\"$1\"; echo $first $second";
    return run({.argv = {"sh", "-c", kScript, "sh", (mounted / kText).string(),
                         ready(number).string(), go_.string()}})
        .out;
  }
  fs::path ready(std::size_t number) const {
    return dir_.path() / ("ready" + std::to_string(number));
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  const fs::path source_ = dir_.path() / "source";
  const fs::path go_ = dir_.path() / "go";
};

TEST_F(SharedLatest, LeadsEachProcessThatFollowedItToOneSnapshot) {
  fs::create_directories(source_);
  back_up("one");
  const Mounted mounted(restic_, {"refresh=3600"});
  std::atomic<bool> is_over = false;
  std::atomic<unsigned> asked = 0;
  // As often as a copy of small files asks, or the kernel would ask for each process.
  std::jthread copying([&] {
    for (; !is_over; ++asked) EXPECT_TRUE(fs::exists(mounted / kText));
    EXPECT_EQ(read_file(mounted / kText), "one");
  });
  EXPECT_TRUE(holds_within(seconds(patient(30)), [&] { return asked > 1000; }));
  std::vector<std::string> read(kReaders);
  std::vector<std::jthread> readers;
  for (std::size_t i = 0; i < kReaders; ++i) {
    readers.emplace_back([&, i] { read[i] = read_twice(mounted, i); });
  }
  const auto is_ready = [&] {
    for (std::size_t i = 0; i < kReaders; ++i) {
      if (!fs::exists(ready(i))) return false;
    }
    return true;
  };
  EXPECT_TRUE(holds_within(seconds(patient(30)), is_ready));
  back_up("two");
  mounted.signal(SIGHUP);
  // A process that begins now gets the newest, as soon as the kernel's answers are forgotten.
  EXPECT_TRUE(holds_within(seconds(patient(30)), [&] {
    return run({.argv = {"cat", (mounted / kText).string()}}).out == "two";
  }));
  write_file(go_, "");
  readers.clear();
  EXPECT_THAT(read, Each("one one\n"));
  is_over = true;
}

}  // namespace
}  // namespace restree::testing
