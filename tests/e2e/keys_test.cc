// The keys that restree adds, changes and removes, in restic's hands, and restic's in restree's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/programs.h"
#include "tests/support/restic.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"
#include "tests/support/sshd.h"
#include "tests/support/temp_dir.h"
#include "tests/support/terminal.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Keys : public ::testing::TestWithParam<std::string> {
 protected:
  Keys() {
    restic_.init();
    write_file(dir_.path() / "file", "content");
    restic_.backup({(dir_.path() / "file").string()});
  }
  // A file with this password.
  std::string file(const std::string& password) const {
    write_file(dir_.path() / password, password + "\n");
    return (dir_.path() / password).string();
  }
  // Exit codes of a command that opens the repository with this password.
  int restic_with(const std::string& password) const {
    return restic_.run({"-p", file(password), "list", "snapshots"}).exit_code;
  }
  int restree_with(const std::string& password) const {
    return restree_.run({"-p", file(password), "list", "snapshots"}).exit_code;
  }
  std::size_t count() const { return names_in(restic_.repository() / "keys").size(); }

  TempDir dir_;
  Restic restic_{dir_.path() / "home", GetParam()};
  RestreeProgram restree_{restic_};
};

TEST_P(Keys, ThatRestreeAddsAreResticsOwnAndTheOtherWayRound) {
  const Finished ours = restree_.run({"key", "add", "--new-password-file", file("ours")});
  ASSERT_TRUE(ours.ok()) << ours.report();
  restic_.run_ok({"key", "add", "--new-password-file", file("theirs")});
  for (const char* password : {kPassword, "ours", "theirs"}) {
    EXPECT_EQ(restic_with(password), 0) << password;
    EXPECT_EQ(restree_with(password), 0) << password;
  }
  EXPECT_NE(restic_with("neither"), 0);
  EXPECT_EQ(restree_with("neither"), 12);

  const std::string id = ours.out.substr(ours.out.rfind(' ') + 1, 64);
  const Finished removed = restree_.run({"key", "remove", id});
  EXPECT_EQ(removed.out, "removed key " + id + "\n") << removed.report();
  EXPECT_EQ(restic_with("ours"), restic_with("neither"));
  EXPECT_EQ(restree_with("ours"), 12);
  EXPECT_EQ(restic_with("theirs"), 0);
  restic_.check();
}

TEST_P(Keys, ThatRestreeChangesLeaveTheOldPasswordWithoutUse) {
  const Finished changed = restree_.run({"key", "passwd", "--new-password-file", file("ours")});
  EXPECT_THAT(changed.out, StartsWith("saved new key as <Key of ")) << changed.report();
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(restic_with("ours"), 0);
  EXPECT_EQ(restree_with(kPassword), 12);

  const Finished emptied =
      restree_.run({"-p", file("ours"), "key", "passwd", "--new-insecure-no-password"});
  ASSERT_TRUE(emptied.ok()) << emptied.report();
  const Finished without = run({.argv = {restree_path(), "--insecure-no-password", "-r",
                                         restic_.repository().string(), "list", "keys"},
                                .env = {{"RESTIC_PASSWORD", std::nullopt}}});
  EXPECT_TRUE(without.ok()) << without.report();
  EXPECT_EQ(count(), 1U);
}

// As a wrapper may: the old password and then the new one, a line each.
TEST_P(Keys, BothPasswordsMayComeFromStandardInput) {
  Command command = restree_.command({"key", "add"});
  command.env.emplace_back("RESTIC_PASSWORD", std::nullopt);
  command.input = std::string(kPassword) + "\nours\n";
  const Finished added = run(command);
  ASSERT_TRUE(added.ok()) << added.report();
  EXPECT_EQ(restic_with("ours"), 0);
}

TEST_P(Keys, ANewPasswordIsTypedTwice) {
  const auto terminal = [&] {
    return Terminal({"bash", "-c", "$restree key add; echo \"[code $?]\""},
                    {{"restree", restree_path()},
                     {"RESTIC_PASSWORD", kPassword},
                     {"RESTIC_REPOSITORY", restic_.repository().string()},
                     {"RESTIC_CACHE_DIR", (dir_.path() / "cache").string()}});
  };
  const auto type = [&](Terminal& shown, const std::string& first, const std::string& second) {
    shown.shown_until("new repository password: ");
    shown.type(first + "\n");
    shown.shown_until("repository password again: ");
    shown.type(second + "\n");
    return shown.shown_until("]");
  };
  auto mistyped = terminal();
  EXPECT_THAT(type(mistyped, "ours", "hours"), HasSubstr("[code 1]"));
  EXPECT_EQ(count(), 1U);
  auto typed = terminal();
  EXPECT_THAT(type(typed, "ours", "ours"), HasSubstr("[code 0]"));
  EXPECT_EQ(restic_with("ours"), 0);
}

TEST_P(Keys, AreChangedOverSftpToo) {
  const Sshd sshd;
  const RestreeProgram far(restic_, sshd);
  ASSERT_TRUE(far.run({"snapshots"}).ok()) << "the cache has the key now";
  const Finished changed = far.run({"key", "passwd", "--new-password-file", file("ours")});
  ASSERT_TRUE(changed.ok()) << changed.report();
  EXPECT_EQ(restic_with("ours"), 0);
  EXPECT_EQ(far.run({"snapshots"}).exit_code, 12);
  EXPECT_TRUE(far.run({"-p", file("ours"), "snapshots"}).ok());
}

INSTANTIATE_TEST_SUITE_P(Restic, Keys, ::testing::ValuesIn(all_restics()), restic_name);

}  // namespace
}  // namespace restree::testing
