#include "program/access.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>

#include "repo/base/unique_fd.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::TempDir;
using testing::value_of;
using testing::write_file;

constexpr const char* kVariables[] = {"RESTIC_REPOSITORY",       "RESTIC_REPOSITORY_FILE",
                                      "RESTIC_PASSWORD",         "RESTIC_PASSWORD_FILE",
                                      "RESTIC_PASSWORD_COMMAND", "RESTIC_KEY_HINT"};

// One way stated, and nothing else.
RepositoryAccess by(std::optional<std::string> RepositoryAccess::*field, const std::string& value) {
  RepositoryAccess access;
  access.*field = value;
  return access;
}
RepositoryAccess both(const std::string& password_file, const std::string& password_command) {
  RepositoryAccess access = by(&RepositoryAccess::password_file, password_file);
  access.password_command = password_command;
  return access;
}

// Runs in an environment that names nothing.
class Access : public ::testing::Test {
 protected:
  Access() { clear(); }
  ~Access() override { clear(); }
  static void clear() {
    for (const char* variable : kVariables) ::unsetenv(variable);
  }
  static void set(const char* variable, const std::string& value) {
    ::setenv(variable, value.c_str(), 1);
  }
  std::string file_of(const std::string& name, std::string_view content) {
    write_file(dir_.path() / name, content);
    return (dir_.path() / name).string();
  }
  std::string password(std::string_view content) {
    return std::string(value_of(secret_from_file(file_of("password", content))).text());
  }
  static std::string found_password(const RepositoryAccess& access) {
    return std::string(value_of(find_password(access, soon())).text());
  }
  static Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

  TempDir dir_;
};

// --- location -----------------------------------------------------------------------------------

TEST_F(Access, LocationIsTheOneStatedBeforeAnyOther) {
  set("RESTIC_REPOSITORY", "/from/environment");
  set("RESTIC_REPOSITORY_FILE", file_of("r", "/from/file"));
  EXPECT_EQ(value_of(find_location(by(&RepositoryAccess::location, "/stated"))), "/stated");
}

TEST_F(Access, LocationComesFromTheEnvironment) {
  set("RESTIC_REPOSITORY", "/from/environment");
  EXPECT_EQ(value_of(find_location({})), "/from/environment");
}

TEST_F(Access, LocationComesFromAFileWithoutItsLineEnd) {
  const std::string file = file_of("r", " sftp:user@host:/srv\n");
  EXPECT_EQ(value_of(find_location(by(&RepositoryAccess::repository_file, file))),
            "sftp:user@host:/srv");
  set("RESTIC_REPOSITORY_FILE", file);
  EXPECT_EQ(value_of(find_location({})), "sftp:user@host:/srv");
}

TEST_F(Access, LocationFileThatIsStatedGoesBeforeTheEnvironment) {
  set("RESTIC_REPOSITORY", "/from/environment");
  EXPECT_EQ(
      value_of(find_location(by(&RepositoryAccess::repository_file, file_of("r", "/stated")))),
      "/stated");
}

TEST_F(Access, LocationFromTwoPlacesIsRefused) {
  set("RESTIC_REPOSITORY", "/a");
  set("RESTIC_REPOSITORY_FILE", file_of("r", "/b"));
  EXPECT_THAT(find_location({}), FailsWith(ErrorKind::kInvalid));
}

TEST_F(Access, LocationFromNowhereIsRefused) {
  EXPECT_THAT(find_location({}), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(find_location(by(&RepositoryAccess::repository_file, file_of("r", "\n"))),
              FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(
      find_location(by(&RepositoryAccess::repository_file, (dir_.path() / "none").string())),
      FailsWith(ErrorKind::kNotFound));
}

// A shell makes it of "$VARIABLE" that is not set: it must not mean the environment's repository.
TEST_F(Access, AnEmptyLocationIsRefusedAndNotLookedUpInTheEnvironment) {
  set("RESTIC_REPOSITORY", "/from/environment");
  EXPECT_THAT(find_location(by(&RepositoryAccess::location, "")), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(find_location(by(&RepositoryAccess::repository_file, "")),
              FailsWith(ErrorKind::kInvalid));
}

// --- password -----------------------------------------------------------------------------------

TEST_F(Access, PasswordFileLosesTheWhiteSpaceAroundItAndKeepsThatInside) {
  EXPECT_EQ(password("secret"), "secret");
  EXPECT_EQ(password("secret\n"), "secret");
  EXPECT_EQ(password("secret\r\n"), "secret");
  EXPECT_EQ(password("\n \tcorrect horse \r\n\n"), "correct horse");
  EXPECT_EQ(password("two\nlines"), "two\nlines");
  EXPECT_EQ(password(" \n"), "");
  EXPECT_EQ(password(""), "");
}

TEST_F(Access, PasswordFileMayBeUtf8WithAMark) {
  EXPECT_EQ(password("\xef\xbb\xbfpässword\n"), "pässword");
}

TEST_F(Access, PasswordFileMayBeUtf16OfEitherOrder) {
  using std::string_literals::operator""s;
  EXPECT_EQ(password("\xff\xfep\0\xe4\0\xac\x20\n\0"s), "pä€");
  EXPECT_EQ(password("\xfe\xff\0p\0\xe4\x20\xac\0\n"s), "pä€");
  // Beyond the first plane: a pair of surrogates.
  EXPECT_EQ(password("\xff\xfe\x3d\xd8\x00\xde"s), "😀");
  EXPECT_EQ(password("\xfe\xff\xd8\x3d\xde\x00"s), "😀");
}

TEST_F(Access, PasswordFileCutShortInUtf16IsReadAsFarAsItGoes) {
  using std::string_literals::operator""s;
  EXPECT_EQ(password("\xff\xfep\0q"s), "p");
  EXPECT_EQ(password("\xff\xfe"s), "");
}

TEST_F(Access, PasswordMayHoldAnyOtherByte) {
  using std::string_literals::operator""s;
  EXPECT_EQ(password("a\0b\xfe"s), "a\0b\xfe"s);
}

TEST_F(Access, PasswordFileThatIsNotThereIsNotFound) {
  EXPECT_THAT(secret_from_file((dir_.path() / "none").string()), FailsWith(ErrorKind::kNotFound));
}

TEST_F(Access, PasswordCommandGivesWhatItPrints) {
  EXPECT_EQ(
      found_password(by(&RepositoryAccess::password_command, "printf 'from %s\\n' 'a command'")),
      "from a command");
}

TEST_F(Access, PasswordCommandThatFailsIsAnErrorAndNoPassword) {
  EXPECT_FALSE(secret_from_command("false", soon()).has_value());
  EXPECT_FALSE(secret_from_command("/no/such/program", soon()).has_value());
  EXPECT_FALSE(secret_from_command("sh -c 'echo half; exit 3'", soon()).has_value());
}

TEST_F(Access, PasswordThatIsStatedGoesBeforeTheEnvironment) {
  set("RESTIC_PASSWORD", "environment");
  set("RESTIC_PASSWORD_FILE", file_of("e", "environment"));
  set("RESTIC_PASSWORD_COMMAND", "echo environment");
  EXPECT_EQ(found_password(by(&RepositoryAccess::password_file, file_of("p", "stated"))), "stated");
  EXPECT_EQ(found_password(by(&RepositoryAccess::password_command, "echo stated")), "stated");
}

TEST_F(Access, PasswordComesFromEachOfTheEnvironmentsWays) {
  set("RESTIC_PASSWORD", "plain");
  EXPECT_EQ(found_password({}), "plain");
  set("RESTIC_PASSWORD_COMMAND", "echo command");
  EXPECT_EQ(found_password({}), "command");
  ::unsetenv("RESTIC_PASSWORD_COMMAND");
  set("RESTIC_PASSWORD_FILE", file_of("p", "file"));
  EXPECT_EQ(found_password({}), "file");
}

TEST_F(Access, PasswordIsGoneFromTheEnvironmentOnceItWasRead) {
  set("RESTIC_PASSWORD", "plain");
  const char* in_environment = std::getenv("RESTIC_PASSWORD");
  EXPECT_EQ(found_password(by(&RepositoryAccess::password_file, file_of("p", "file"))), "file");
  EXPECT_EQ(std::getenv("RESTIC_PASSWORD"), nullptr);
  EXPECT_NE(std::string_view(in_environment, 5), "plain");
}

TEST_F(Access, PasswordFromAFileAndACommandIsRefused) {
  EXPECT_THAT(find_password(both("f", "c"), soon()), FailsWith(ErrorKind::kInvalid));
  set("RESTIC_PASSWORD_FILE", "f");
  set("RESTIC_PASSWORD_COMMAND", "c");
  EXPECT_THAT(find_password({}, soon()), FailsWith(ErrorKind::kInvalid));
}

TEST_F(Access, EmptyPasswordIsRefused) {
  EXPECT_THAT(find_password(by(&RepositoryAccess::password_file, file_of("p", "\n")), soon()),
              FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(find_password(by(&RepositoryAccess::password_command, "true"), soon()),
              FailsWith(ErrorKind::kInvalid));
}

TEST_F(Access, AnEmptyNameOfAFileOrCommandIsNotLookedUpInTheEnvironment) {
  set("RESTIC_PASSWORD_FILE", file_of("p", "of the environment's file"));
  set("RESTIC_PASSWORD", "itself");
  EXPECT_EQ(found_password(by(&RepositoryAccess::password_file, "")), "itself");
  ::unsetenv("RESTIC_PASSWORD_FILE");
  set("RESTIC_PASSWORD", "itself");
  set("RESTIC_PASSWORD_COMMAND", "echo of the command");
  EXPECT_EQ(found_password(by(&RepositoryAccess::password_command, "")), "itself");
}

TEST_F(Access, NoPasswordIsTheEmptyOneUnlessASourceNamesOne) {
  RepositoryAccess none;
  none.no_password = true;
  EXPECT_EQ(found_password(none), "");
  for (const char* variable :
       {"RESTIC_PASSWORD", "RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD_COMMAND"}) {
    set(variable, "x");
    EXPECT_THAT(find_password(none, soon()), FailsWith(ErrorKind::kInvalid)) << variable;
    clear();
  }
  none.password_file = file_of("p", "x");
  EXPECT_THAT(find_password(none, soon()), FailsWith(ErrorKind::kInvalid));
  none.password_file.reset();
  none.password_command = "echo x";
  EXPECT_THAT(find_password(none, soon()), FailsWith(ErrorKind::kInvalid));
}

// Standard input with this content, for as long as it lives.
class Input {
 public:
  explicit Input(const std::string& file)
      : before_(::dup(STDIN_FILENO)), content_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    ::dup2(content_.get(), STDIN_FILENO);
  }
  ~Input() { ::dup2(before_.get(), STDIN_FILENO); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

 private:
  UniqueFd before_;
  UniqueFd content_;
};

TEST_F(Access, PasswordIsALineOfStandardInputAndNoMore) {
  const Input input(file_of("input", "the first \r\nsecond"));
  EXPECT_EQ(found_password({}), "the first ");
  EXPECT_EQ(found_password({}), "second");
}

TEST_F(Access, ANewPasswordComesFromItsFileOrFromStandardInput) {
  set("RESTIC_PASSWORD", "of the environment");
  set("RESTIC_PASSWORD_FILE", file_of("p", "of the environment's file"));
  const Input input(file_of("input", "a line\nanother\n"));
  EXPECT_EQ(value_of(find_new_password({.file = file_of("n", "new\n")})).text(), "new");
  EXPECT_EQ(value_of(find_new_password({.file = ""})).text(), "a line");
  EXPECT_EQ(value_of(find_new_password({})).text(), "another");
}

TEST_F(Access, ANewPasswordIsEmptyOnlyIfThatIsSaid) {
  EXPECT_EQ(value_of(find_new_password({.file = {}, .none = true})).text(), "");
  EXPECT_THAT(find_new_password({.file = file_of("n", "\n")}), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(find_new_password({.file = file_of("n", "new"), .none = true}),
              FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(find_new_password({.file = (dir_.path() / "none").string()}),
              FailsWith(ErrorKind::kNotFound));
}

TEST_F(Access, PasswordIsNotLookedForInDataOnStandardInput) {
  const Input input(file_of("input", "data\n"));
  RepositoryAccess access;
  access.input_is_data = true;
  access.password_command = "echo word";
  EXPECT_EQ(found_password(access), "word");
  EXPECT_EQ(value_of(secret_from_input()).text(), "data");
}

TEST_F(Access, AWrongPasswordThatWasNotTypedIsTriedOnce) {
  const Input input(file_of("input", "wrong\nright\n"));
  int tries = 0;
  const Status opened = open_with_password({}, [&](const Secret& secret) -> Status {
    ++tries;
    EXPECT_EQ(secret.text(), "wrong");
    return Error(ErrorKind::kWrongPassword, "wrong");
  });
  EXPECT_THAT(opened, FailsWith(ErrorKind::kWrongPassword));
  EXPECT_EQ(tries, 1);
}

// Waits for the `count`th prompt, and until the terminal is silent: what is typed before is lost.
bool is_asked(int terminal, int count, std::string& shown) {
  const auto by = Deadline::after(std::chrono::seconds(60));
  for (;;) {
    int prompts = 0;
    for (auto at = shown.find("password: "); at != shown.npos;
         at = shown.find("password: ", at + 1)) {
      ++prompts;
    }
    termios now{};
    if (prompts == count && ::tcgetattr(terminal, &now) == 0 && (now.c_lflag & ECHO) == 0) {
      return true;
    }
    if (by.remaining().count() <= 0) return false;
    pollfd wait{.fd = terminal, .events = POLLIN, .revents = 0};
    char piece[256];
    if (::poll(&wait, 1, 10) != 1) continue;
    const ssize_t got = ::read(terminal, piece, sizeof piece);
    if (got <= 0) return false;
    shown.append(piece, static_cast<std::size_t>(got));
  }
}

TEST_F(Access, APasswordThatWasMistypedIsAskedForAgain) {
  int fd = -1;
  const pid_t child = ::forkpty(&fd, nullptr, nullptr, nullptr);
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(120);
    int tries = 0;
    const Status opened = open_with_password({}, [&](const Secret& secret) -> Status {
      ++tries;
      if (secret.text() == "right") return {};
      return Error(ErrorKind::kWrongPassword, "wrong password");
    });
    ::_exit(opened ? tries : 99);
  }
  const UniqueFd terminal(fd);
  std::string shown;
  ASSERT_TRUE(is_asked(fd, 1, shown)) << shown;
  ASSERT_EQ(::write(fd, "wrong\n", 6), 6);
  ASSERT_TRUE(is_asked(fd, 2, shown)) << shown;
  ASSERT_EQ(::write(fd, "right\n", 6), 6);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 2);
  EXPECT_NE(shown.find("wrong password. Try again"), std::string::npos) << shown;
}

TEST_F(Access, KeyHintThatIsStatedGoesBeforeTheEnvironment) {
  EXPECT_EQ(find_key_hint({}), "");
  set("RESTIC_KEY_HINT", "environment");
  EXPECT_EQ(find_key_hint({}), "environment");
  EXPECT_EQ(find_key_hint(by(&RepositoryAccess::key_hint, "stated")), "stated");
  EXPECT_EQ(find_key_hint(by(&RepositoryAccess::key_hint, "")), "");
}

}  // namespace
}  // namespace restree
