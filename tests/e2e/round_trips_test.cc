// How many round trips the start of a mount takes: over a long line they are most of the time until
// somebody sees a file.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "tests/support/files.h"
#include "tests/support/line_emulator.h"
#include "tests/support/mounted_over_ssh.h"
#include "tests/support/restic.h"
#include "tests/support/sshd.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

// TCP, greeting, key exchange, the key that is offered, its signature, channel, SFTP, its greeting;
// then two each for the config, the list of snapshots, the config again (without it that list might
// be of a disk that is not mounted any more), a snapshot, and the pack with its trees. Keys and index
// files come beside these. Where a key takes long to derive, what is read meanwhile costs nothing.
constexpr int kExpected = 18;
constexpr Seconds kLong = 800ms;
constexpr int kAttempts = 5;

class RoundTrips : public ::testing::Test {
 protected:
  RoundTrips() {
    fs::create_directories(data_.path() / "source");
    write_file(data_.path() / "source" / "file", "content");
    restic_.init();
    restic_.backup({"--tag", "app=a", (data_.path() / "source").string()});
  }

  // From the start of the program to the first listing of files.
  Seconds time_over_line_of(Seconds round_trip) {
    const LineEmulator line(
        {.to = sshd_.port(),
         .rtt = std::chrono::duration_cast<std::chrono::nanoseconds>(round_trip)});
    MountRequest request = mount_over_ssh(restic_, sshd_, SshTransport::kBuiltIn);
    request.location = sshd_.location_behind(line.port(), restic_.repository());
    const auto begin = std::chrono::steady_clock::now();
    const Mounted mounted(request);
    EXPECT_EQ(run_ok({.argv = {"ls", (mounted / "apps/a/latest/").string()}}), "file\n");
    return std::chrono::steady_clock::now() - begin;
  }

 private:
  TempDir data_;
  Restic restic_ = Restic(data_.path() / "home");
  Sshd sshd_;
};

// What is not waiting for the line takes the same time over both lines. A machine at work on other
// things makes either longer, so the shortest times count; and it lets every byte come some
// milliseconds late, which over all of them is less than one round trip of so long a line.
TEST_F(RoundTrips, ToTheFirstListing) {
  Seconds near = Seconds::max();
  Seconds far = Seconds::max();
  int taken = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    near = std::min(near, time_over_line_of(0ms));
    far = std::min(far, time_over_line_of(kLong));
    taken = static_cast<int>(std::floor((far - near) / kLong));
    if (taken <= kExpected) break;
  }
  EXPECT_LE(taken, kExpected) << (far - near).count() << " s";
}

}  // namespace
}  // namespace restree::testing
