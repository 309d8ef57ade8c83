// A server that is away: a mount serves what the cache holds, whether it began before or while the
// server was away, and finds the server again by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/filled_cache.h"
#include "tests/support/mounted_over_ssh.h"
#include "tests/support/programs.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/status_fields.h"
#include "tests/support/terminal.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A mount has filled the cache with all of `read`, and only with the names in `unread`.
class Offline : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<Shared>();
    fs::create_directories(source() / "read/below");
    fs::create_directories(source() / "unread");
    write_random_file(source() / "read/large", 1, scaled(16 * kMiB, 4 * kMiB));
    for (unsigned i = 0; i < 60; ++i) {
      write_file(source() / "read/below" / std::to_string(i), random_bytes(100 + i, 3000));
    }
    write_random_file(source() / "unread/large", 2, scaled(16 * kMiB, 4 * kMiB));
    write_random_file(source() / "unread/other", 3, 3 * kMiB);
    shared_->restic.init();
    shared_->restic.backup({"--tag", "app=a", source().string()});
    fill_cache(request(), [](const Mounted& mounted) {
      EXPECT_THAT(differences(app(mounted) / "read", source() / "read"), IsEmpty());
      EXPECT_EQ(names_in(app(mounted) / "unread").size(), 2U);
    });
    fs::copy(shared_->cache, shared_->filled, fs::copy_options::recursive);
  }
  static void TearDownTestSuite() { shared_.reset(); }
  // Each test begins with a server and with the same cache.
  void SetUp() override {
    fs::remove_all(shared_->cache);
    fs::copy(shared_->filled, shared_->cache, fs::copy_options::recursive);
  }

  static MountRequest request(std::vector<std::string> options = {}) {
    MountRequest made =
        mount_over_ssh(restic(), sshd(), SshTransport::kBuiltIn, std::move(options));
    made.cache = shared_->cache;
    return made;
  }
  static fs::path app(const Mounted& mounted) { return mounted / "apps/a/latest"; }
  static const Restic& restic() { return shared_->restic; }
  static Sshd& sshd() { return shared_->sshd; }
  static fs::path source() { return shared_->dir.path() / "source"; }
  static std::size_t snapshots_in(const Mounted& mounted) {
    return names_in(mounted / "ids").size();
  }
  // Of a server that is known to be away. Of several attempts the quickest: the machine may be
  // busy.
  static void expect_that_reading_fails_at_once(const fs::path& file) {
    auto quickest = steady_clock::duration::max();
    for (int i = 0; i < 3; ++i) {
      const auto begin = steady_clock::now();
      EXPECT_EQ(errno_of_reading(file), EIO);
      quickest = std::min(quickest, steady_clock::now() - begin);
    }
    EXPECT_LT(quickest, seconds(1));
  }
  static std::size_t lines_with(const std::string& text, const std::string& word) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) ++count;
    return count;
  }
  static auto status_of(const Mounted& mounted) {
    return status_fields(read_file(mounted / ".restree/status"));
  }

  // No server as long as this lives.
  class WithoutServer {
   public:
    WithoutServer() { sshd().stop(); }
    ~WithoutServer() { back(); }
    WithoutServer(const WithoutServer&) = delete;
    WithoutServer& operator=(const WithoutServer&) = delete;
    void back() {
      if (!std::exchange(is_back_, true)) sshd().start();
    }

   private:
    bool is_back_ = false;
  };

 private:
  struct Shared {
    TempDir dir;
    fs::path cache = dir.path() / "cache";
    fs::path filled = dir.path() / "filled";  // as the cache is when a test begins
    Restic restic{dir.path() / "home"};
    Sshd sshd;
  };
  static std::unique_ptr<Shared> shared_;
};
std::unique_ptr<Offline::Shared> Offline::shared_;

TEST_F(Offline, AMountBeginsWithoutServerAndGoesOnlineByItself) {
  const std::string id = restic().backup({"--tag", "app=b", (source() / "unread").string()});
  WithoutServer away;
  Mounted mounted(request({"refresh=3600"}));
  EXPECT_THAT(differences(app(mounted) / "read", source() / "read"), IsEmpty());
  EXPECT_EQ(snapshots_in(mounted), 1U);
  EXPECT_EQ(status_of(mounted).at("online"), "false");

  expect_that_reading_fails_at_once(app(mounted) / "unread/large");
  const std::string log = mounted.log();
  EXPECT_EQ(lines_with(log, "only what the cache holds"), 1U) << log;
  EXPECT_EQ(lines_with(log, "unread/large"), 1U) << log;
  EXPECT_THAT(log, HasSubstr("the server is away since"));

  away.back();
  // Only the probe asks the server, and then the search for snapshots once it is back.
  EXPECT_TRUE(holds_within(seconds(patient(30)), [&] { return snapshots_in(mounted) == 2; }));
  EXPECT_TRUE(fs::exists(mounted / "ids" / id / source().relative_path()));
  // A failure is remembered for a moment, and the server may have been back before that was over.
  EXPECT_TRUE(holds_within(seconds(patient(3)),
                           [&] { return errno_of_reading(app(mounted) / "unread/large") == 0; }));
  EXPECT_THAT(differences(app(mounted), source()), IsEmpty());
  EXPECT_EQ(status_of(mounted).at("online"), "true");
  EXPECT_EQ(lines_with(mounted.log(), "works again"), 1U) << mounted.log();
  mounted.unmount();
  restic().forget(id);
}

TEST_F(Offline, SnapshotsThatCameAfterAnOfflineStartAreKeptForTheNext) {
  {
    const WithoutServer away;
    Mounted mounted(request());
    EXPECT_THAT(differences(app(mounted) / "read", source() / "read"), IsEmpty());
    mounted.unmount();
  }
  const WithoutServer away;
  Mounted again(request());
  EXPECT_THAT(differences(app(again) / "read", source() / "read"), IsEmpty());
  again.unmount();
}

TEST_F(Offline, AMountOutlivesItsServer) {
  Mounted mounted(request({"timeout=6", "refresh=3600"}));
  ASSERT_EQ(names_in(app(mounted)).size(), 2U);
  WithoutServer away;
  const auto begin = steady_clock::now();
  EXPECT_EQ(errno_of_reading(app(mounted) / "unread/large"), EIO);
  EXPECT_GT(steady_clock::now() - begin, seconds(4)) << "gave up before the deadline";
  expect_that_reading_fails_at_once(app(mounted) / "unread/other");
  EXPECT_THAT(differences(app(mounted) / "read", source() / "read"), IsEmpty());
  EXPECT_EQ(status_of(mounted).at("online"), "false");

  away.back();
  EXPECT_TRUE(holds_within(seconds(patient(30)),
                           [&] { return errno_of_reading(app(mounted) / "unread/large") == 0; }));
  EXPECT_THAT(differences(app(mounted), source()), IsEmpty());
  mounted.unmount();
}

TEST_F(Offline, TheUserWhoMountsIsInformed) {
  const WithoutServer away;
  const Finished mounted = try_mount(request());
  EXPECT_EQ(mounted.exit_code, 0) << mounted.report();
  EXPECT_EQ(lines_with(mounted.err, "only what the cache holds"), 1U) << mounted.err;
}

TEST_F(Offline, AWrongPasswordIsReportedWithoutServerAsWell) {
  const WithoutServer away;
  MountRequest wrong = request();
  wrong.env.emplace_back("RESTIC_PASSWORD", "wrong");
  const Finished refused = try_mount(wrong);
  EXPECT_EQ(refused.exit_code, 12) << refused.report();
}

TEST_F(Offline, WithoutCacheAMountNeedsTheServer) {
  const WithoutServer away;
  const Finished refused = try_mount(request({"no_cache", "timeout=3"}));
  EXPECT_EQ(refused.exit_code, 1) << refused.report();
}

TEST_F(Offline, ItEndsWhileTheServerIsSilent) {
  sshd().freeze();
  Mounted mounted(request());
  EXPECT_EQ(errno_of_reading(app(mounted) / "unread/other"), EIO);
  mounted.signal(SIGTERM);
  mounted.expect_end(seconds(patient(8)));
  sshd().thaw();
}

TEST_F(Offline, ASlowlyTypedPasswordIsNotTakenForAServerThatIsAway) {
  const fs::path key = sshd().folder() / "typed_key";
  make_ssh_key(key, "ed25519", "open sesame");
  const std::string keys = read_file(sshd().authorized_keys());
  write_file(sshd().authorized_keys(), keys + read_file(key.string() + ".pub"));
  Terminal terminal({restree_path(), "-r", sshd().location(restic().repository()), "-o",
                     "no_ssh_agent,ssh_key=" + key.string() +
                         ",ssh_known_hosts=" + sshd().known_hosts().string() +
                         ",ssh_config=" + sshd().ssh_config().string(),
                     "--cache-dir", request().cache.string(), "snapshots"},
                    {{"RESTIC_PASSWORD", kPassword}});
  EXPECT_THAT(terminal.shown_until(": "), HasSubstr("typed_key"));
  // The fault is a person who types slowly, so time has to pass here.
  std::this_thread::sleep_for(seconds(12));
  terminal.type("open sesame\n");
  EXPECT_THAT(terminal.shown_until("1 snapshots"), Not(HasSubstr("only what the cache holds")));
  write_file(sshd().authorized_keys(), keys);
}

TEST_F(Offline, RestoreAndLsWorkFromTheCache) {
  const std::vector<std::string> place{"--cache-dir", request().cache.string()};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), place.begin(), place.end());
    return RestreeProgram(restic(), sshd()).run(words);
  };
  const Finished online = run({"ls", "latest", "--recursive"});
  ASSERT_TRUE(online.ok()) << online.report();
  const WithoutServer away;
  const Finished offline = run({"ls", "latest", "--recursive"});
  EXPECT_TRUE(offline.ok()) << offline.report();
  EXPECT_EQ(offline.out, online.out);
  EXPECT_THAT(offline.err, HasSubstr("only what the cache holds"));
  const TempDir target;
  const Finished restored = run({"restore", "latest", "--target", target.path().string(),
                                 "--include", (source() / "read").string()});
  EXPECT_TRUE(restored.ok()) << restored.report();
  EXPECT_THAT(differences(target.path() / source().relative_path() / "read", source() / "read"),
              IsEmpty());
}

}  // namespace
}  // namespace restree::testing
