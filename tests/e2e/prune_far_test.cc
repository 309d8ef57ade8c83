// `restree prune` over SFTP, where the server can put packs together by itself: what goes over the line, and what
// happens if the line is cut, the disk of the server is full or the server cannot do it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/prune_fixture.h"
#include "tests/support/line_emulator.h"
#include "tests/support/repository_files.h"
#include "tests/support/scale.h"
#include "tests/support/small_disk.h"
#include "tests/support/sshd.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Half of each pack is in use; all of that is copied.
class PruneFar : public Pruned {
 protected:
  static constexpr std::uint64_t kFiles = 16;
  static constexpr std::uint64_t kCopiedBytes = kFiles / 2 * kMiB;

  PruneFar() {
    disk_ = std::make_unique<SmallDisk>(repository(), "96m");
    restic_.init();
    fs::create_directories(source());
    for (std::uint64_t i = 0; i < kFiles; ++i) write_random_file(file(i), i, kMiB);
    restree_.backup({"--pack-size", "4", source().string()});
    for (std::uint64_t i = 0; i < kFiles; i += 2) fs::remove(file(i));
    forget_old();
    restore_all(restored_.path());
  }
  ~PruneFar() override {
    line_.reset();
    sshd_.reset();
  }

  fs::path file(std::uint64_t number) const { return source() / std::to_string(100 + number); }

  // From now on the repository lies behind such a line.
  void move_away(LineOptions line, SshdOptions server = {}) {
    sshd_ = std::make_unique<Sshd>(server);
    line.to = sshd_->port();
    line_ = std::make_unique<LineEmulator>(line);
  }
  Command far_prune() const {
    return restree_.command({"-r", sshd_->location_behind(line_->port(), repository()), "-o",
                             sshd_->mount_options(), "prune", "--max-unused", "0", "--pack-size",
                             "4", "--keep-free", "0"});
  }
  // A prune in the middle of its copies.
  Process prune_under_way() {
    Process prune = Process::start(far_prune());
    EXPECT_TRUE(holds_within(seconds(patient(60)), [&] {
      return line_->counts().down_bytes >= kCopiedBytes / 2 || !prune.running();
    }));
    return prune;
  }
  void expect_pruned() const {
    restic_.run_ok({"check", "--read-data"});
    expect_restores_as(restored_.path());
    const std::uint64_t most = kCopiedBytes + kCopiedBytes / 4;
    std::uint64_t bytes = 0;
    for (const fs::path& pack : stored_in(repository(), "data")) {
      bytes += fs::file_size(repository() / pack);
    }
    EXPECT_LT(bytes, most);
    EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
  }

  TempDir restored_;
  std::unique_ptr<SmallDisk> disk_;
  std::unique_ptr<Sshd> sshd_;
  std::unique_ptr<LineEmulator> line_;
};

TEST_F(PruneFar, ReadsWhatItRepacksOnceAndSendsNextToNothing) {
  move_away({});
  run_ok(far_prune());
  EXPECT_LT(line_->counts().up_bytes, kCopiedBytes / 8);
  EXPECT_LT(line_->counts().down_bytes, kCopiedBytes + kCopiedBytes / 4);
  expect_pruned();
}

TEST_F(PruneFar, ReadsAndSendsWhereTheServerCannotCopy) {
  SshdOptions server{.sftp = false};
  server.config = {"Subsystem sftp internal-sftp -P copy-data"};
  move_away({}, server);
  run_ok(far_prune());
  EXPECT_GT(line_->counts().up_bytes, kCopiedBytes);
  expect_pruned();
}

TEST_F(PruneFar, GoesOnOverALineThatIsCut) {
  move_away({.rtt = 20ms, .bytes_per_second = 4'000'000});
  Process prune = prune_under_way();
  const auto connections = line_->counts().connections;
  line_->cut();
  const Finished done = prune.wait(seconds(patient(120)));
  EXPECT_TRUE(done.ok()) << done.report();
  EXPECT_GT(line_->counts().connections, connections);
  expect_pruned();
  for (const fs::path& path : stored_in(repository(), "data")) {
    EXPECT_EQ(path.string().find("-restree-"), std::string::npos) << path;
  }
}

TEST_F(PruneFar, SaysThatTheDiskOfTheServerIsFull) {
  move_away({.rtt = 20ms, .bytes_per_second = 4'000'000});
  Process prune = Process::start(far_prune());
  const auto packs = stored_in(repository(), "data").size();
  EXPECT_TRUE(holds_within(seconds(patient(60)), [&] {
    return stored_in(repository(), "data").size() > packs || !prune.running();
  }));
  disk_->fill_up(0);
  const Finished done = prune.wait(seconds(patient(120)));
  EXPECT_EQ(done.exit_code, 1) << done.report();
  EXPECT_THAT(done.err, HasSubstr("the disk is full"));
  restic_.run_ok({"check", "--read-data"});
  disk_->make_room();
  // What was copied before no index could be written goes as well.
  Command again = far_prune();
  again.argv.emplace_back("--exclusive");
  run_ok(again);
  expect_pruned();
}

}  // namespace
}  // namespace restree::testing
