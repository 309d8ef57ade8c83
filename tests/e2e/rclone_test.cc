// Repositories at remotes of rclone's, on a machine without rclone: the command lines of a program
// that runs restic over such a remote, unchanged, and a mount.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/password.h"
#include "tests/support/process.h"
#include "tests/support/programs.h"
#include "tests/support/sshd.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kLogin = "correct horse";
// That password as `rclone obscure` 1.60.1 has written it, and another one.
constexpr const char* kObscured = "fqIgm7FzIslwp76aqzXk9MGS5W2E6iMeAL7l0SM";
constexpr const char* kOther = "ZDtpgsiMD1oqJ7BTulLrhR2GFH8RkSZU";

// An account with a password on a server that takes nothing else, in rclone's configuration.
class Rclone : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::permissions(dir_.path(), fs::perms(0755));
    fs::create_directories(path("bin"));
    fs::create_directories(path("login"));
    fs::create_directories(path("source"));
    fs::create_symlink(restree_path(), path("bin") / "restic");
    write_file(path("bin") / "rclone", "#!/bin/sh\n: >" + path("rclone-was-run").string() + "\n");
    fs::permissions(path("bin") / "rclone", fs::perms(0755));
    run_ok({.argv = {"useradd", "-M", "-N", "-d", path("login").string(), "-s", "/bin/sh", user_}});
    run_ok({.argv = {"chpasswd"}, .input = user_ + ":" + kLogin + "\n"});
    run_ok({.argv = {"chown", user_, path("login").string()}});
    // It notes each file that it opens.
    write_file(path("sftp-server"), "#!/bin/sh\nexec /usr/lib/openssh/sftp-server -e -l INFO 2>>" +
                                        path("opened").string() + "\n");
    fs::permissions(path("sftp-server"), fs::perms(0755));
    sshd_.emplace(SshdOptions{.sftp = false,
                              .config = {"PasswordAuthentication yes", "PubkeyAuthentication no",
                                         "Subsystem sftp " + path("sftp-server").string()}});
    configure(kObscured);
    forget_opened();
  }
  void TearDown() override {
    sshd_.reset();
    run({.argv = {"userdel", "-f", user_}});
    EXPECT_FALSE(fs::exists(path("rclone-was-run")));
  }

  fs::path path(const std::string& name) const { return dir_.path() / name; }
  // As `rclone config create` writes it.
  void configure(const std::string& password) const {
    fs::create_directories(path("home/.config/rclone"));
    write_file(path("home/.config/rclone/rclone.conf"),
               fmt::format("[myssh]\ntype = sftp\nhost = 127.0.0.1\nuser = {}\npass = {}\n"
                           "port = {}\nknown_hosts_file = {}\nuse_insecure_cipher = false\n"
                           "shell_type = unix\nmd5sum_command = md5sum\n"
                           "sha1sum_command = sha1sum\n\n[disk]\ntype = local\n",
                           user_, password, sshd_->port(), sshd_->known_hosts().string()));
  }
  std::vector<std::pair<std::string, std::optional<std::string>>> environment() const {
    return {{"PATH", path("bin").string() + ":" + std::getenv("PATH")},
            {"RESTIC_REPOSITORY", "rclone:myssh:backups"},
            {"RESTIC_PASSWORD", kPassword},
            {"HOME", path("home").string()},
            {"XDG_CACHE_HOME", path("cache").string()},
            {"XDG_CONFIG_HOME", std::nullopt},
            {"RCLONE_CONFIG", std::nullopt},
            {"SSH_AUTH_SOCK", std::nullopt}};
  }
  // As `docker run … sh -c "COMMAND TAGS"` runs it.
  Finished sh(const std::string& command) const {
    return run({.argv = {"sh", "-c", command}, .env = environment(), .folder = dir_.path()});
  }
  std::string sh_ok(const std::string& command) const {
    const Finished finished = sh(command);
    EXPECT_TRUE(finished.ok()) << command << "\n" << finished.report();
    return finished.out;
  }

  void forget_opened() const {
    write_file(path("opened"), "");
    fs::permissions(path("opened"), fs::perms(0666));
  }
  // How many files of the repository whose names begin so were opened since then.
  int opened(const std::string& beginning) const {
    const std::string log = "\n" + read_file(path("opened"));
    const std::string wanted = "\nopen \"backups/" + beginning;
    int count = 0;
    for (auto at = log.find(wanted); at != std::string::npos; at = log.find(wanted, at + 1)) {
      ++count;
    }
    return count;
  }

  const std::string user_ = "restree-r" + std::to_string(::getpid());
  TempDir dir_;
  std::optional<Sshd> sshd_;
};

// The "id" of the last snapshot in the list.
std::string last_id(const std::string& json) {
  static constexpr std::string_view kField = R"("id":")";
  const std::size_t at = json.rfind(kField);
  return at == std::string::npos ? "" : json.substr(at + kField.size(), 64);
}

TEST_F(Rclone, OcelotsCommandLinesRunUnchangedUnderResticsName) {
  const fs::path source = path("source");
  fs::create_directories(source / "wiki_data");
  write_random_file(source / "wiki_data/page", 1, kMiB);
  write_file(source / "1.4.zip", "compose");
  const std::string tags =
      " --tag maintainer=acme --tag app=wiki --tag version=1.4 --tag "
      "version_creation_timestamp=2026-01-02T03:04:05Z --tag description=auto ";

  const Finished missing = sh("restic check ");
  EXPECT_EQ(missing.exit_code, 10) << missing.report();
  EXPECT_THAT(missing.err, AllOf(HasSubstr("Fatal: repository does not exist"),
                                 HasSubstr("Is there a repository at the following location?"),
                                 HasSubstr("rclone:myssh:backups")));
  const Finished made = sh("restic check || restic init ");
  EXPECT_EQ(made.exit_code, 0) << made.report();
  EXPECT_THAT(made.out, HasSubstr("at rclone:myssh:backups"));
  EXPECT_TRUE(fs::exists(path("login/backups/config")));
  sh_ok("restic backup " + source.string() + tags);

  EXPECT_THAT(sh_ok("restic check || restic init "), HasSubstr("no errors were found"));
  const std::string list = sh_ok("restic snapshots --json --tag maintainer=acme --tag app=wiki ");
  const std::string id = last_id(list);
  EXPECT_THAT(list, AllOf(HasSubstr("\"version_creation_timestamp=2026-01-02T03:04:05Z\""),
                          HasSubstr("\"time\":\"")));
  ASSERT_EQ(id.size(), 64U) << list;
  EXPECT_EQ(last_id(sh_ok("restic snapshots --json " + id + " ")), id);

  fs::rename(source, path("kept"));
  sh_ok("restic restore " + id + " --target / --include '*.zip' ");
  EXPECT_EQ(read_file(source / "1.4.zip"), "compose");
  EXPECT_FALSE(fs::exists(source / "wiki_data/page"));
  sh_ok("restic restore " + id + " --target / ");
  EXPECT_EQ(read_file(source / "wiki_data/page"), read_file(path("kept/wiki_data/page")));

  sh_ok("restic forget " + id + " ");
  EXPECT_THAT(sh_ok("restic snapshots --json "), HasSubstr("[]"));
  EXPECT_THAT(sshd_->log(), HasSubstr("Accepted password for " + user_));
}

// What a check costs before each listing: a program with that habit waits for both.
TEST_F(Rclone, ACheckAndAListingOpenOneKeyEachAndTheListingNothingElseThatIsInTheCache) {
  write_random_file(path("source/page"), 1, kMiB);
  sh_ok("restic init && restic backup source --tag app=wiki");
  write_random_file(path("source/other"), 2, kMiB);
  sh_ok("restic backup source --tag app=wiki && restic snapshots");

  forget_opened();
  sh_ok("restic check || restic init ");
  EXPECT_EQ(opened("keys/"), 1);
  EXPECT_EQ(opened("index/"), 2);
  EXPECT_EQ(opened("snapshots/"), 2);
  const int trees = opened("data/");
  EXPECT_GE(trees, 2);
  EXPECT_LE(trees, 4);

  forget_opened();
  sh_ok("restic snapshots --json --tag app=wiki ");
  EXPECT_EQ(opened("keys/"), 1);
  EXPECT_EQ(opened("index/"), 0);
  EXPECT_EQ(opened("snapshots/"), 0);
  EXPECT_EQ(opened("data/"), 0);
}

TEST_F(Rclone, AMountShowsTheSameRepositoryUnderTheNameItWasGiven) {
  sh_ok("restic init && echo hello >file && restic backup file --tag app=wiki");
  MountRequest request;
  request.location = "rclone:myssh:backups";
  request.env = environment();
  request.cache = path("cache");
  Mounted mounted(request);
  EXPECT_EQ(read_file(mounted / "apps/wiki/latest/file"), "hello\n");
  EXPECT_THAT(mount_line(mounted.path()), HasSubstr("rclone:myssh:backups "));
  // Beside it, the same place by its address.
  write_file(path("password"), kLogin);
  EXPECT_THAT(sh_ok(fmt::format("restic -r sftp://{}@127.0.0.1:{}/backups -o ssh_config=none,"
                                "ssh_known_hosts={},ssh_password_file=password snapshots",
                                user_, sshd_->port(), sshd_->known_hosts().string())),
              HasSubstr("1 snapshots"));
  mounted.unmount();
}

TEST_F(Rclone, ALocalRemoteIsAFolderOfThisMachine) {
  const std::string words = " -r rclone:disk:" + path("folder").string() + " ";
  sh_ok("restic init" + words + "&& echo hello >file && restic backup file" + words);
  EXPECT_TRUE(fs::exists(path("folder/config")));
  EXPECT_EQ(sh_ok("restic dump latest /file" + words), "hello\n");
}

TEST_F(Rclone, AServerWhoseKeyIsNotKnownIsRefusedWithWhatToDo) {
  write_file(sshd_->known_hosts(), "");
  const Finished refused = sh("restic init");
  EXPECT_EQ(refused.exit_code, 1) << refused.report();
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("the host key is not known"),
                    HasSubstr(fmt::format("ssh-keyscan -p {} 127.0.0.1 >> {}", sshd_->port(),
                                          sshd_->known_hosts().string()))));
}

TEST_F(Rclone, AWrongPasswordIsRefusedAndNoneIsShown) {
  configure(kOther);
  const Finished refused = sh("restic -v init");
  EXPECT_EQ(refused.exit_code, 1) << refused.report();
  EXPECT_THAT(refused.err, AllOf(HasSubstr("tried password"), Not(HasSubstr("gr\xc3\xbcn")),
                                 Not(HasSubstr(kOther))));
  write_file(path("password"), kLogin);
  EXPECT_TRUE(sh("restic -o ssh_password_file=password init").ok());
}

TEST_F(Rclone, ResticsOptionsForRcloneAreObeyedNotedOrRefused) {
  const Finished noted = sh("restic -o rclone.program=/x/rclone -o rclone.connections=1 init");
  EXPECT_EQ(noted.exit_code, 0) << noted.report();
  EXPECT_THAT(noted.err, HasSubstr("without effect: rclone.program"));
  const Finished refused = sh("restic -o 'rclone.args=serve restic --stdio --config /x' snapshots");
  EXPECT_EQ(refused.exit_code, 1) << refused.report();
  EXPECT_THAT(refused.err, AllOf(HasSubstr("--config"), HasSubstr("RCLONE_CONFIG")));
  EXPECT_EQ(sh("restic -o rclone.nothing=1 snapshots").exit_code, 1);
  EXPECT_EQ(sh("restic -o rclone.nothing=1 -r local:x init").exit_code, 0);
}

}  // namespace
}  // namespace restree::testing
