// Commands at a terminal: what they ask and show there, what reaches them, and that the terminal is
// given back.
#include "tests/support/terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/programs.h"
#include "tests/support/restic.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

using ::testing::HasSubstr;

// A shell script on a terminal. $restree is the program; the script writes "[code N]" itself.
class AtTheTerminal : public ::testing::Test {
 protected:
  AtTheTerminal() { restic_.init(); }

  std::string path(const std::string& name) const { return (dir_.path() / name).string(); }
  // A program of the test's own, by its name; `ask` is "read -r" with the prompt of `asks`.
  std::string script(const std::string& name, const std::string& text) const {
    write_file(path(name), "#!/bin/sh\n" + text);
    std::filesystem::permissions(path(name), std::filesystem::perms::owner_all);
    return path(name);
  }
  Terminal terminal(const std::string& text) const {
    return Terminal({"bash", "-c", text}, {{"restree", restree_path()},
                                           {"RESTIC_PASSWORD", kPassword},
                                           {"RESTIC_REPOSITORY", restic_.repository().string()},
                                           {"RESTIC_CACHE_DIR", path("cache")}});
  }

  TempDir dir_;
  const Restic restic_{dir_.path()};
};

constexpr const char* kAsk = "printf 'vault? ' >/dev/tty; read -r word </dev/tty\n";

TEST_F(AtTheTerminal, PasswordCommandAsks) {
  const std::string ask = script("ask", "printf 'vault? ' >&2; read -r w </dev/tty; echo \"$w\"\n");
  auto shown = terminal("unset RESTIC_PASSWORD; $restree --password-command " + ask +
                        " list keys; echo \"[code $?]\"");
  shown.shown_until("vault? ");
  shown.type(std::string(kPassword) + "\n");
  EXPECT_THAT(shown.shown_until("]"), HasSubstr("[code 0]"));
}

TEST_F(AtTheTerminal, CtrlCAtAPasswordCommandEndsBoth) {
  const std::string ask = script("ask", "printf 'vault? ' >&2; read -r w </dev/tty; echo \"$w\"\n");
  auto shown = terminal("trap : INT; unset RESTIC_PASSWORD; $restree --password-command " + ask +
                        " list keys; echo \"[code $?]\"");
  shown.shown_until("vault? ");
  shown.type("\x03");
  EXPECT_THAT(shown.shown_until("]"), HasSubstr("[code 130]"));
}

TEST_F(AtTheTerminal, CommandOfAStreamAsks) {
  const std::string dump = script("dump", std::string(kAsk) + "echo \"$word\"\n");
  auto shown = terminal("$restree backup -q --stdin-from-command " + dump +
                        "; echo \"[code $?]\"; $restree dump latest stdin");
  shown.shown_until("vault? ");
  shown.type("tables\n");
  EXPECT_THAT(shown.shown_until("]"), HasSubstr("[code 0]"));
  shown.shown_until("tables");
}

// A program in ssh's place that asks, and then is the server. What runs behind restree in the same
// script can read the terminal again only if restree gave it back.
constexpr const char* kOverSftp = "$restree -r \"sftp:host:$RESTIC_REPOSITORY\" -o sftp.command=";

TEST_F(AtTheTerminal, CommandInSshsPlaceAsksAndGivesTheTerminalBack) {
  const std::string ssh = script("asking", std::string(kAsk) +
                                               "echo \"<$word>\" >/dev/tty\n"
                                               "exec /usr/lib/openssh/sftp-server\n");
  auto shown = terminal(std::string(kOverSftp) + ssh +
                        " -o sftp.connections=1 list keys; echo \"[code $?]\";"
                        "read -r line </dev/tty; echo \"line: $line\"");
  shown.shown_until("vault? ");
  shown.type("secret\n");
  shown.shown_until("<secret>");
  EXPECT_THAT(shown.shown_until("]"), HasSubstr("[code 0]"));
  shown.type("afterwards\n");
  shown.shown_until("line: afterwards");
}

TEST_F(AtTheTerminal, CtrlCAtACommandInSshsPlaceEndsBothAndGivesTheTerminalBack) {
  const std::string ssh = script("asking", kAsk);
  auto shown = terminal("trap : INT; " + std::string(kOverSftp) + ssh +
                        " list keys; echo \"[code $?]\";"
                        "read -r line </dev/tty; echo \"line: $line\"");
  shown.shown_until("vault? ");
  shown.type("\x03");
  EXPECT_THAT(shown.shown_until("]"), HasSubstr("[code 130]"));
  shown.type("afterwards\n");
  shown.shown_until("line: afterwards");
}

TEST_F(AtTheTerminal, AMountSaysWhenItIsThereAndEndsWithCtrlC) {
  const std::string mount_point = path("mount point");
  std::filesystem::create_directory(mount_point);
  auto shown = terminal("trap : INT; $restree mount '" + mount_point + "'; echo \"[code $?]\"");
  shown.shown_until("Now serving the repository at " + mount_point);
  shown.shown_until("When finished, quit with Ctrl-c here or umount the mountpoint.");
  EXPECT_TRUE(std::filesystem::exists(mount_point + "/snapshots"));
  shown.type("\x03");
  EXPECT_THAT(shown.shown_until("]"), HasSubstr("[code 0]"));
  EXPECT_FALSE(std::filesystem::exists(mount_point + "/snapshots"));
}

}  // namespace
}  // namespace restree::testing
