// Servers that do not let a backup's machine remove or change what it has stored, as docs/protecting-backups.md
// describes them: backups work, and what somebody tries who has taken over that machine does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/process.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/sshd.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Strings = std::vector<std::string>;

// An account of every Debian that may log in nowhere and owns nothing.
constexpr const char* kAccount = "backup";

class ProtectedServer : public ::testing::Test {
 protected:
  ProtectedServer() {
    // The account must reach the repository, and sshd, as that account, its key.
    for (const fs::path& folder : {dir_.path(), dir_.path() / "home"}) {
      fs::create_directories(folder);
      fs::permissions(folder, fs::perms(0711));
    }
    fs::create_directories(source());
    restic_.init();
    for (int i = 0; i < 20; ++i) {
      write_random_file(source() / std::to_string(i), static_cast<std::uint64_t>(i), 50'000);
    }
  }

  fs::path source() const { return dir_.path() / "source"; }
  fs::path repository() const { return restic_.repository(); }

  // A server that serves SFTP with such options and nothing else.
  std::unique_ptr<Sshd> serve(const std::string& options = "") const {
    SshdOptions server;
    const fs::path key = dir_.path() / "authorized_keys";
    server.config = {"ForceCommand internal-sftp " + options, "AuthorizedKeysFile " + key.string()};
    auto sshd = std::make_unique<Sshd>(server);
    fs::copy_file(sshd->authorized_keys(), key, fs::copy_options::overwrite_existing);
    fs::permissions(key, fs::perms(0644));
    return sshd;
  }
  std::string location(const Sshd& sshd, const std::string& user) const {
    std::string location = sshd.location(repository());
    const std::string own = "//" + Sshd::user() + "@";
    return location.replace(location.find(own), own.size(), "//" + user + "@");
  }
  Finished run_as(const std::string& user, const Sshd& sshd, Strings words) const {
    words.insert(words.begin(), {"-r", location(sshd, user), "-o", sshd.mount_options()});
    return restree_.run(std::move(words));
  }

  // Runs the lines of docs/protecting-backups.md that begin with such a comment, on this repository.
  void run_lines_of_the_page(const std::string& comment, const std::string& left_out = "") const {
    const std::string page =
        read_file(fs::path(RESTREE_SOURCE_DIR) / "docs" / "protecting-backups.md");
    const std::size_t begin = page.find("```sh\n# " + comment + "\n");
    ASSERT_NE(begin, std::string::npos) << comment;
    const std::size_t first = page.find('\n', begin) + 1;
    std::string lines = page.substr(first, page.find("```", first) - first);
    const auto replace = [&](const std::string& what, const std::string& by) {
      ASSERT_NE(lines.find(what), std::string::npos) << what;
      lines.replace(lines.find(what), what.size(), by);
    };
    replace("/srv/restic", repository());
    replace(left_out, "");
    run_ok({.argv = {"sh", "-c", lines}});
  }
  void hand_to_root() const { run_lines_of_the_page("once, as root"); }
  // What the server does every few minutes; here at once.
  void take_over_new_files() const {
    run_lines_of_the_page("every five minutes, as root", " -cmin +5");
  }

  // The words of the sftp program of OpenSSH to what an attacker asks for: empty if it was done.
  std::string attack(const Sshd& sshd, const std::string& request) const {
    const fs::path batch = dir_.path() / "batch";
    write_file(batch, request + "\n");
    const Finished done =
        run({.argv = {"sftp", "-q", "-b", batch, "-P", std::to_string(sshd.port()), "-i",
                      sshd.identity(), "-F", sshd.ssh_config(), "-o",
                      "UserKnownHostsFile=" + sshd.known_hosts().string(),
                      std::string(kAccount) + "@127.0.0.1"}});
    return done.ok() ? "" : done.err + done.out;
  }

  // Of all that is to be kept.
  std::map<fs::path, std::string> content() const {
    std::map<fs::path, std::string> content;
    for (const fs::path& file : files_below(repository())) {
      if (file.parent_path().filename() != "locks") content[file] = read_file(file);
    }
    return content;
  }

  void expect_restores(const fs::path& as) const {
    const TempDir restored;
    restic_.restore("latest", restored.path());
    EXPECT_EQ(differences(restored.path() / source().relative_path(), as), "");
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  RestreeProgram restree_{restic_};
};

TEST_F(ProtectedServer, TakesBackupsWithoutRemovingAnything) {
  const auto sshd = serve("-P remove,rmdir");
  for (int day = 1; day <= 2; ++day) {
    write_random_file(source() / "changes", static_cast<std::uint64_t>(100 + day), 80'000);
    const Finished done = run_as(Sshd::user(), *sshd, {"backup", source()});
    EXPECT_EQ(done.exit_code, 0) << done.report();
    EXPECT_THAT(done.err, AllOf(HasSubstr("a lock stays behind"), HasSubstr("permission denied")));
  }
  EXPECT_THAT(strays_in(repository()), IsEmpty());
  EXPECT_THAT(stored_in(repository(), "snapshots"), SizeIs(2));
  expect_restores(source());
  const Finished forget = run_as(Sshd::user(), *sshd, {"forget", "--keep-last", "1"});
  EXPECT_EQ(forget.exit_code, 1) << forget.report();
  EXPECT_THAT(forget.err, AllOf(HasSubstr("remove "), HasSubstr("permission denied")));
  EXPECT_THAT(stored_in(repository(), "snapshots"), SizeIs(2));
  restic_.run_ok({"unlock", "--remove-all"});
  restic_.run_ok({"check", "--read-data"});
}

TEST_F(ProtectedServer, RefusingToRemoveAloneProtectsNothing) {
  hand_to_root();
  const auto sshd = serve("-P remove,rmdir");
  EXPECT_EQ(run_as(kAccount, *sshd, {"backup", source()}).exit_code, 0);
  const fs::path junk = dir_.path() / "junk";
  write_file(junk, "junk");
  const std::vector<fs::path> packs = stored_in(repository(), "data");
  ASSERT_GE(packs.size(), 2U);
  const std::string overwritten = repository() / packs[0];
  EXPECT_EQ(attack(*sshd, "chmod 600 " + overwritten), "");
  EXPECT_EQ(attack(*sshd, "put " + junk.string() + " " + overwritten), "");
  EXPECT_EQ(read_file(overwritten), "junk");
  const std::string replaced = repository() / packs[1];
  EXPECT_EQ(attack(*sshd, "rename " + overwritten + " " + replaced), "");
  EXPECT_EQ(read_file(replaced), "junk");
}

TEST_F(ProtectedServer, TakesBackupsWithoutChangingModesOrTimes) {
  const auto sshd = serve("-P setstat,fsetstat,lsetstat,fsync");
  const Finished done = run_as(Sshd::user(), *sshd, {"backup", source()});
  EXPECT_EQ(done.exit_code, 0) << done.report();
  EXPECT_THAT(strays_in(repository()), IsEmpty());
  EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
  expect_restores(source());
  restic_.run_ok({"check", "--read-data"});
}

// Without the right to rename nothing can be stored, since no file may have its name before it is whole.
TEST_F(ProtectedServer, SaysWhatItNeedsAndTakesItsBeginningsAway) {
  const auto sshd = serve("-P rename,posix-rename,hardlink");
  const Finished done = run_as(Sshd::user(), *sshd, {"backup", source()});
  EXPECT_EQ(done.exit_code, 1) << done.report();
  EXPECT_THAT(done.err, AllOf(HasSubstr("rename "), HasSubstr("permission denied")));
  EXPECT_THAT(strays_in(repository()), IsEmpty());
  EXPECT_THAT(stored_in(repository(), "snapshots"), IsEmpty());
}

TEST_F(ProtectedServer, KeepsWhatRootHasTakenOver) {
  hand_to_root();
  const auto sshd = serve();
  EXPECT_EQ(run_as(kAccount, *sshd, {"backup", source()}).exit_code, 0);
  take_over_new_files();
  const std::map<fs::path, std::string> before = content();

  write_file(dir_.path() / "junk", "junk");
  const std::string junk = dir_.path() / "junk";
  const std::string stray = repository() / "stray";
  Strings targets{repository() / "config"};
  for (const char* folder : {"data", "index", "snapshots", "keys"}) {
    for (const fs::path& file : stored_in(repository(), folder))
      targets.push_back(repository() / file);
  }
  EXPECT_EQ(attack(*sshd, "put " + junk + " " + stray), "")
      << "else the attacks below fail for another reason";
  for (const std::string& file : targets) {
    for (const std::string& request :
         {"rm " + file, "put " + junk + " " + file, "rename " + file + " " + file + ".gone",
          "rename " + stray + " " + file, "chmod 600 " + file}) {
      EXPECT_THAT(attack(*sshd, request), HasSubstr("Permission denied")) << request;
    }
  }
  for (const char* folder : {"data", "index", "snapshots", "keys"}) {
    const std::string path = repository() / folder;
    EXPECT_THAT(attack(*sshd, "rename " + path + " " + path + ".gone"),
                HasSubstr("Permission denied"))
        << path;
  }
  EXPECT_EQ(attack(*sshd, "rm " + stray), "");
  const Finished forget =
      run_as(kAccount, *sshd, {"forget", "--unsafe-allow-remove-all", "--tag", "", "latest"});
  EXPECT_NE(forget.exit_code, 0) << forget.report();

  EXPECT_TRUE(content() == before);
  // And backups go on.
  write_random_file(source() / "changes", 7, 80'000);
  const Finished next = run_as(kAccount, *sshd, {"backup", source()});
  EXPECT_EQ(next.exit_code, 0) << next.report();
  EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
  expect_restores(source());
  // Root's own machine forgets and prunes as ever.
  EXPECT_EQ(restree_.run({"forget", "--keep-last", "1", "--prune"}).exit_code, 0);
  restic_.run_ok({"check", "--read-data"});
}

TEST_F(ProtectedServer, IsReadWhereNothingMayBeWritten) {
  const std::string id = restree_.backup({source()});
  const auto sshd = serve("-R");
  const TempDir restored;
  const Finished restore =
      run_as(Sshd::user(), *sshd, {"restore", id, "--target", restored.path()});
  EXPECT_EQ(restore.exit_code, 0) << restore.report();
  EXPECT_THAT(restore.err, HasSubstr("no lock can be written"));
  EXPECT_EQ(differences(restored.path() / source().relative_path(), source()), "");
  for (const Strings& words : {Strings{"snapshots"}, Strings{"ls", id}, Strings{"check"}}) {
    const Finished done = run_as(Sshd::user(), *sshd, words);
    EXPECT_EQ(done.exit_code, 0) << done.report();
  }
  MountRequest request = mount_of(restic_, {sshd->mount_options(), "lock"});
  request.location = location(*sshd, Sshd::user());
  const Mounted mount(request);
  EXPECT_EQ(differences(mount / "ids" / id / source().relative_path(), source()), "");
  EXPECT_EQ(run_as(Sshd::user(), *sshd, {"backup", source()}).exit_code, 1);
  EXPECT_THAT(strays_in(repository()), IsEmpty());
}

}  // namespace
}  // namespace restree::testing
