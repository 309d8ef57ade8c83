// A real sshd that is killed, restarted, frozen, or refuses connections, under a storage that is
// read.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "program/storage_kinds.h"
#include "repo/storage/sftp/sftp_pool.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/process.h"
#include "tests/support/sshd.h"

// libssh2 1.10 forgets the pair of keys for an exchange, 64 bytes, when a session is freed in the middle of it,
// as happens here where a server stops or a storage ends while a connection is being made. The frames of
// libssh2 are all that LeakSanitizer can name. Other tests of SFTP, which suppress nothing of libssh2,
// check that sessions are freed.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libssh2.so\n"; }

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::uint64_t kPackBytes = 24 * kMiB;
constexpr std::uint64_t kRangeBytes = kMiB;

std::size_t entries_in(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

// One pack behind one server.
class SftpFault : public ::testing::Test {
 protected:
  void serve(SshdOptions options = {}) {
    sshd_.emplace(std::move(options));
    content_ = random_bytes(7, kPackBytes);
    fs::create_directories(root() / "data/aa");
    write_file(root() / "data/aa" / pack_.name, content_);
  }

  std::shared_ptr<Storage> open(const std::function<void(SshOptions&)>& adjust = [](auto&) {}) {
    SshOptions options = sshd_->ssh_options();
    adjust(options);
    return value_of(value_of(parse_location(sshd_->location(root())))->make_storage(options));
  }

  // Reads the whole pack in ranges on several threads, so often that the effect of `meanwhile`
  // falls into the middle of it; returns the number of wrong or failed ranges.
  int read_while(Storage& storage, const std::function<void()>& meanwhile, unsigned threads = 4) {
    std::atomic<int> wrong = 0;
    std::atomic<bool> done = false;
    std::vector<std::jthread> readers;
    for (unsigned i = 0; i < threads; ++i) {
      readers.emplace_back([&, i] {
        std::uint64_t at = i * kRangeBytes;
        int after = 0;
        while (after < 6) {
          if (done) ++after;
          const auto bytes =
              storage.read(pack_, {at, kRangeBytes}, Deadline::after(std::chrono::seconds(60)));
          if (!bytes || as_text(*bytes) != std::string_view(content_).substr(at, kRangeBytes)) {
            ADD_FAILURE() << (bytes ? "other bytes" : bytes.error().message());
            ++wrong;
          }
          at = (at + threads * kRangeBytes) % kPackBytes;
          ++ranges_read_;
        }
      });
    }
    meanwhile();
    done = true;
    readers.clear();
    return wrong;
  }

  Result<Bytes> read_one(Storage& storage, std::chrono::milliseconds time) {
    return storage.read(pack_, {12345, 1000}, Deadline::after(time));
  }

  fs::path root() const { return sshd_->folder() / "repo"; }
  Sshd& sshd() { return *sshd_; }

  // Waits, within read_while(), until so many more ranges have been read.
  bool have_read(std::size_t more) const {
    const std::size_t until = ranges_read_ + more;
    return holds_within(60s, [&] { return ranges_read_ >= until; });
  }

  const FileName pack_{FileType::kPack, std::string(64, 'a')};
  std::atomic<std::size_t> ranges_read_ = 0;
  std::string content_;
  std::optional<Sshd> sshd_;
};

TEST_F(SftpFault, AServerThatIsKilledAndRestartedIsNotNoticedByReaders) {
  serve();
  const auto storage = open();
  EXPECT_EQ(read_while(*storage,
                       [&] {
                         for (int round = 0; round < 3; ++round) {
                           ASSERT_TRUE(holds_within(20s, [&] { return sshd().logins() > round; }));
                           sshd().stop();
                           sshd().start();
                         }
                       }),
            0);
}

TEST_F(SftpFault, ResetConnectionsAreReplaced) {
  serve();
  const auto storage = open();
  EXPECT_EQ(read_while(*storage,
                       [&] {
                         for (int round = 0; round < 5; ++round) {
                           const int before = sshd().logins();
                           sshd().kill_connections();
                           ASSERT_TRUE(holds_within(20s, [&] { return sshd().logins() > before; }));
                         }
                       }),
            0);
}

TEST_F(SftpFault, AnSshProgramThatLosesItsConnectionIsReplaced) {
  serve();
  const auto storage = open([](SshOptions& options) { options.command = "ssh"; });
  EXPECT_EQ(read_while(*storage,
                       [&] {
                         ASSERT_TRUE(holds_within(20s, [&] { return sshd().logins() > 0; }));
                         const int before = sshd().logins();
                         sshd().kill_connections();
                         ASSERT_TRUE(holds_within(20s, [&] { return sshd().logins() > before; }));
                       }),
            0);
}

TEST_F(SftpFault, ASilentConnectionIsReplaced) {
  serve();
  const auto storage = open([](SshOptions& options) {
    options.silence = 300ms;
    options.connect_timeout = 2s;
  });
  ASSERT_OK(read_one(*storage, 20s));
  EXPECT_EQ(read_while(*storage,
                       [&] {
                         const int before = sshd().logins();
                         sshd().freeze_connections();
                         EXPECT_TRUE(holds_within(20s, [&] { return sshd().logins() > before; }));
                       }),
            0);
}

TEST_F(SftpFault, AnIdleConnectionThatWasClosedIsReplacedBeforeUse) {
  serve();
  const auto storage = open();
  ASSERT_OK(read_one(*storage, 20s));
  sshd().kill_connections();
  ASSERT_OK(read_one(*storage, 20s));
  EXPECT_EQ(sshd().logins(), 2);
}

TEST_F(SftpFault, AServerThatIsAwayIsUnavailableAtTheDeadlineAndBackAfterIt) {
  serve();
  const auto storage = open();
  ASSERT_OK(read_one(*storage, 20s));
  sshd().stop();
  const auto began = std::chrono::steady_clock::now();
  const auto answer = read_one(*storage, 1500ms);
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_THAT(answer, FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(answer.error().message(), ::testing::HasSubstr("127.0.0.1"));
  EXPECT_THAT(answer.error().message(), ::testing::HasSubstr("Connection refused"));
  EXPECT_GE(took, 1500ms);
  EXPECT_LT(took, 2500ms);
  sshd().start();
  EXPECT_OK(read_one(*storage, 20s));
}

TEST_F(SftpFault, AFrozenServerIsUnavailableAtTheDeadlineAndBackAfterIt) {
  serve();
  const auto storage = open();
  ASSERT_OK(read_one(*storage, 20s));
  sshd().freeze();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(read_one(*storage, 700ms), FailsWith(ErrorKind::kUnavailable));
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, 700ms);
  EXPECT_LT(took, 1700ms);
  sshd().thaw();
  EXPECT_OK(read_one(*storage, 20s));
}

TEST_F(SftpFault, AServerThatNeverGreetsIsUnavailableAtTheDeadline) {
  serve();
  sshd().freeze();
  const auto storage = open([](SshOptions& options) { options.connect_timeout = 300ms; });
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(read_one(*storage, 1000ms), FailsWith(ErrorKind::kUnavailable));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2000ms);
  sshd().thaw();
}

TEST_F(SftpFault, DestroyingAStorageDoesNotWaitForAFrozenServer) {
  serve();
  auto storage = open();
  ASSERT_OK(read_one(*storage, 20s));
  sshd().freeze();
  EXPECT_THAT(read_one(*storage, 100ms), FailsWith(ErrorKind::kUnavailable));
  const auto began = std::chrono::steady_clock::now();
  storage.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
  sshd().thaw();
}

TEST_F(SftpFault, AStopRequestEndsTheWaitForTheServer) {
  serve();
  SshOptions options = sshd().ssh_options();
  std::stop_source stop;
  const auto storage = value_of(
      value_of(parse_location(sshd().location(root())))->make_storage(options, stop.get_token()));
  sshd().stop();
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_THAT(read_one(*storage, 60s), FailsWith(ErrorKind::kCancelled));
}

TEST_F(SftpFault, RefusedConnectionsMeanFewerConnectionsNotFailure) {
  serve();
  // An SSH command that grants one connection at a time.
  const fs::path command = sshd().folder() / "one-only";
  const std::string name = command.string();
  write_file(command, "#!/bin/sh\nflock -n -E 99 " + name + ".lock ssh \"$@\"\n" +
                          "[ $? = 99 ] && echo refused >> " + name + ".log\n");
  fs::permissions(command, fs::perms(0700));
  const auto storage = open([&](SshOptions& options) { options.command = command.string(); });
  const auto refusals = [&] {
    if (!fs::exists(name + ".log")) return std::size_t{0};
    const std::string log = read_file(name + ".log");
    return static_cast<std::size_t>(std::count(log.begin(), log.end(), '\n'));
  };
  // Each of these ranges would be a reason to ask for another connection.
  constexpr std::size_t kRanges = 300;
  EXPECT_EQ(read_while(
                *storage,
                [&] {
                  EXPECT_TRUE(holds_within(20s, [&] { return refusals() > 0; }));
                  EXPECT_TRUE(have_read(kRanges));
                },
                8),
            0);
  EXPECT_EQ(sshd().logins(), 1);
  // Those asked for together are refused together, and none is asked for again.
  EXPECT_GE(refusals(), 1U);
  EXPECT_LE(refusals(), SftpPool::kOpenedAtOnce);
}

TEST_F(SftpFault, LoadOpensAsManyConnectionsAsAllowedAndNoMore) {
  serve();
  const auto storage = open([](SshOptions& options) { options.connections = 3; });
  ASSERT_OK(read_one(*storage, 20s));
  EXPECT_EQ(sshd().connections(), 1);
  EXPECT_EQ(read_while(
                *storage,
                [&] { EXPECT_TRUE(holds_within(20s, [&] { return sshd().logins() == 3; })); }, 8),
            0);
  EXPECT_EQ(sshd().logins(), 3);
}

TEST_F(SftpFault, NoDescriptorThreadOrProcessIsLeft) {
  serve();
  const std::string content = content_;
  const auto round = [&](const std::string& command) {
    const auto storage = open([&](SshOptions& options) { options.command = command; });
    EXPECT_EQ(read_while(*storage, [&] { sshd().kill_connections(); }), 0);
  };
  round("");  // makes everything that is made only once
  const auto descriptors = entries_in("/proc/self/fd");
  const auto threads = entries_in("/proc/self/task");
  round("");
  round("ssh");
  EXPECT_EQ(entries_in("/proc/self/fd"), descriptors);
  EXPECT_EQ(entries_in("/proc/self/task"), threads);
}

TEST_F(SftpFault, APackThatIsRemovedWhileOpenIsReadToItsEnd) {
  serve();
  const auto storage = open([](SshOptions& options) { options.connections = 1; });
  ASSERT_OK(read_one(*storage, 20s));
  fs::remove(root() / "data/aa" / pack_.name);
  EXPECT_OK(read_one(*storage, 20s));
  EXPECT_THAT(storage->size(pack_, Deadline::after(20s)), FailsWith(ErrorKind::kNotFound));
}

TEST_F(SftpFault, ATruncatedPackIsCorrupt) {
  serve();
  const auto storage = open();
  fs::resize_file(root() / "data/aa" / pack_.name, 1000);
  EXPECT_THAT(read_one(*storage, 20s), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(SftpFault, AFailedWriteLeavesNothingBehind) {
  serve();
  const auto storage = open();
  // A folder where the file should go: everything works up to the rename.
  fs::create_directories(root() / "keys" / std::string(64, '1') / "x");
  EXPECT_THAT(
      storage->write({FileType::kKey, std::string(64, '1')}, as_bytes("k"), Deadline::after(1s)),
      FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(entries_in(root() / "keys"), 1U);
}

TEST_F(SftpFault, AFullDiskIsNamedInTheErrorAndNotTriedAgain) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root, to mount a small file system";
  serve();
  fs::create_directories(root() / "small");
  const std::string small = (root() / "small").string();
  run_ok({.argv = {"mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small}});
  fs::create_directories(root() / "small/data/aa");
  const auto storage = value_of(
      value_of(parse_location(sshd().location(small)))->make_storage(sshd().ssh_options()));
  const auto written = storage->write(pack_, as_bytes(content_), Deadline::after(20s));
  const std::size_t left = files_below(small).size();
  run_ok({.argv = {"umount", small}});
  EXPECT_THAT(written, FailsWith(ErrorKind::kDenied));
  EXPECT_THAT(written.error().message(), ::testing::HasSubstr("disk is full"));
  EXPECT_EQ(left, 0U);
}

TEST_F(SftpFault, WrittenFilesArePrivateAndReadOnly) {
  serve();
  write_file(root() / "config", "c");
  fs::permissions(root() / "config", fs::perms(0400));
  const auto storage = open();
  const std::string name(64, '2');
  ASSERT_OK(storage->write({FileType::kIndex, name}, as_bytes("i"), Deadline::after(20s)));
  EXPECT_EQ(fs::status(root() / "index" / name).permissions(), fs::perms(0400));
  EXPECT_EQ(fs::status(root() / "index").permissions(), fs::perms(0700));
}

TEST_F(SftpFault, NewFilesOfAGroupsRepositoryAreTheGroupsToo) {
  serve();
  write_file(root() / "config", "c");
  fs::permissions(root() / "config", fs::perms(0440));
  const auto storage = open();
  const std::string name(64, '2');
  ASSERT_OK(storage->write({FileType::kIndex, name}, as_bytes("i"), Deadline::after(20s)));
  EXPECT_EQ(fs::status(root() / "index" / name).permissions(), fs::perms(0440));
  EXPECT_EQ(fs::status(root() / "index").permissions(), fs::perms(0770));
}

}  // namespace
}  // namespace restree::testing
