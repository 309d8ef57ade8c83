// Faults of a long line in the middle of a copy, seen by the program that copies: the connections
// are cut, the line falls silent for some seconds, the server is not to be reached for some
// seconds.
//
// 20 ms of round trip; at 64 Mbit/s, so that a copy of a few megabytes takes long enough to be met
// in its middle.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <thread>

#include "tests/support/files.h"
#include "tests/support/line_emulator.h"
#include "tests/support/mounted_over_ssh.h"
#include "tests/support/restic.h"
#include "tests/support/scale.h"
#include "tests/support/sshd.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::uint64_t kBytesPerSecond = 8'000'000;
constexpr std::uint64_t kFileBytes = 10 * kMiB;
constexpr unsigned kSmallFiles = 50;

class LineFault : public ::testing::TestWithParam<SshTransport> {
 protected:
  static void SetUpTestSuite() {
    data_ = std::make_unique<TempDir>();
    fs::create_directories(source() / "folder");
    write_random_file(source() / "large", 1, kFileBytes);
    for (unsigned i = 0; i < kSmallFiles; ++i) {
      write_random_file(source() / "folder" / std::to_string(i), 2 + i, 20 * kKiB);
    }
    restic().init();
    restic().backup({"--tag", "app=a", source().string()});
  }
  static void TearDownTestSuite() { data_.reset(); }

  static fs::path source() { return data_->path() / "source"; }
  static Restic restic() { return Restic(data_->path() / "home"); }

  MountRequest request() {
    MountRequest request = mount_over_ssh(restic(), sshd_, GetParam());
    request.location = sshd_.location_behind(line_.port(), restic().repository());
    return request;
  }

  // `cp -r` of everything, a fifth of the large file having come. What the line has carried counts,
  // not what cp has written: where the disk is slow, all may have come by then.
  Process cp_under_way(const Mounted& mounted) {
    const auto before = line_.counts().down_bytes;
    const auto carried = [&] { return line_.counts().down_bytes - before; };
    Process cp = Process::start(
        {.argv = {"cp", "-r", (mounted / "apps/a/latest/.").string(), copy().string()}});
    EXPECT_TRUE(holds_within(seconds(patient(60)), [&] { return carried() >= kFileBytes / 5; }));
    EXPECT_LT(carried(), kFileBytes / 5 * 4) << "the line was too quick";
    return cp;
  }
  fs::path copy() const { return here_.path() / "copy"; }

  void expect_cp_finishes_right(Process& cp) const {
    const Finished finished = cp.wait(seconds(patient(120)));
    EXPECT_TRUE(finished.ok()) << finished.report();
    const Finished diff = run({.argv = {"diff", "-r", source().string(), copy().string()}});
    EXPECT_TRUE(diff.ok()) << diff.report();
  }

  static std::unique_ptr<TempDir> data_;
  TempDir here_;
  Sshd sshd_;
  LineEmulator line_{{.to = sshd_.port(), .rtt = 20ms, .bytes_per_second = kBytesPerSecond}};
};
std::unique_ptr<TempDir> LineFault::data_;

INSTANTIATE_TEST_SUITE_P(Transports, LineFault,
                         ::testing::Values(SshTransport::kBuiltIn, SshTransport::kCommand),
                         [](const auto& instance) {
                           return instance.param == SshTransport::kBuiltIn ? "BuiltIn" : "Command";
                         });

TEST_P(LineFault, CpFinishesOverALineThatIsCut) {
  const Mounted mounted(request());
  Process cp = cp_under_way(mounted);
  const auto connections = line_.counts().connections;
  line_.cut();
  expect_cp_finishes_right(cp);
  EXPECT_GT(line_.counts().connections, connections);
}

TEST_P(LineFault, CpFinishesOverALineThatStandsStillForFiveSeconds) {
  const Mounted mounted(request());
  Process cp = cp_under_way(mounted);
  const auto begin = steady_clock::now();
  line_.stall(5s);
  expect_cp_finishes_right(cp);
  EXPECT_GE(steady_clock::now() - begin, 5s);
}

TEST_P(LineFault, CpFinishesOverACutAndAServerThatRefusesForThreeSeconds) {
  const Mounted mounted(request());
  Process cp = cp_under_way(mounted);
  line_.refuse();
  line_.cut();
  // The fault is that connections are refused for a time, so time has to pass here.
  std::this_thread::sleep_for(3s);
  EXPECT_TRUE(cp.running());
  EXPECT_EQ(line_.counts().open, 0U);
  line_.go_on();
  expect_cp_finishes_right(cp);
}

}  // namespace
}  // namespace restree::testing
