#include "program/access.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "repo/base/guarded.h"
#include "repo/base/restic_words.h"
#include "repo/base/unique_fd.h"
#include "repo/system/child_process.h"
#include "repo/system/environment.h"

namespace restree {
namespace {

// No password is longer; a device or a wrong file must not be read for ever.
constexpr std::size_t kLongestSecret = 1 << 20;
constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";

void append_utf8(std::uint32_t rune, std::string& text) {
  const auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (rune < 0x80) {
    add(rune);
  } else if (rune < 0x800) {
    add(0xc0 | rune >> 6);
    add(0x80 | (rune & 0x3f));
  } else if (rune < 0x10000) {
    add(0xe0 | rune >> 12);
    add(0x80 | (rune >> 6 & 0x3f));
    add(0x80 | (rune & 0x3f));
  } else {
    add(0xf0 | rune >> 18);
    add(0x80 | (rune >> 12 & 0x3f));
    add(0x80 | (rune >> 6 & 0x3f));
    add(0x80 | (rune & 0x3f));
  }
}

std::string from_utf16(std::string_view bytes, bool big_endian) {
  std::string text;
  text.reserve(bytes.size() * 2);  // so that no copy is left behind when it grows
  const auto unit = [&](std::size_t i) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<std::uint32_t>(big_endian ? first << 8 | second : second << 8 | first);
  };
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    std::uint32_t rune = unit(i);
    if (rune >= 0xd800 && rune < 0xdc00 && i + 3 < bytes.size()) {
      rune = 0x10000 + ((rune - 0xd800) << 10) + (unit(i + 2) - 0xdc00);
      i += 2;
    }
    append_utf8(rune, text);
  }
  return text;
}

// The text of a file as people write it with any editor, without the white space around it.
Secret as_secret(std::string&& bytes) {
  Secret raw(std::move(bytes));
  std::string_view text = raw.text();
  Secret decoded;
  if (text.starts_with("\xef\xbb\xbf")) {
    text.remove_prefix(3);
  } else if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    decoded = Secret(from_utf16(text.substr(2), text.front() == '\xfe'));
    text = decoded.text();
  }
  const std::size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {};
  text = text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
  return Secret::copy_of(as_bytes(text));
}

Result<std::string> read_small_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) {
    return Error(ErrorKind::kNotFound, fmt::format(restic_words::kFileDoesNotExist.text, path));
  }
  if (!fd) return errno_error(errno, "open " + path);
  std::string content(kLongestSecret, '\0');
  std::size_t length = 0;
  while (length < content.size()) {
    const ssize_t count = ::read(fd.get(), content.data() + length, content.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error(errno, "read " + path);
    if (count == 0) break;
    length += static_cast<std::size_t>(count);
  }
  content.resize(length);
  return content;
}

// What is being waited for: a person at a terminal whose echo is off, or standard input.
struct Waiting {
  int fd = -1;
  std::optional<termios> before = {};  // the terminal's settings
};
Guarded<std::optional<Waiting>>& waiting_for_secret() {
  static Guarded<std::optional<Waiting>> waiting;
  return waiting;
}

// Echo off for as long as this lives.
class SilentTerminal {
 public:
  explicit SilentTerminal(int fd) {
    termios before{};
    if (::tcgetattr(fd, &before) != 0) return;
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL;
    *waiting_for_secret().lock() = Waiting{fd, before};
    ::tcsetattr(fd, TCSAFLUSH, &silent);
  }
  ~SilentTerminal() { leave_prompt(); }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;
};

void print(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// Takes the password out of the environment, where children and /proc would show it.
Secret take_environment_password(const std::string& variable) {
  char* value = std::getenv(variable.c_str());
  if (value == nullptr) return {};
  Secret password = Secret::copy_of(as_bytes(std::string_view(value)));
  wipe_memory(std::as_writable_bytes(std::span(value, std::strlen(value))));
  ::unsetenv(variable.c_str());
  return password;
}

std::string variable_of(const RepositoryAccess& access, std::string_view name) {
  return fmt::format("{}{}{}", access.variables, name, access.variables_end);
}

Error no_location(const RepositoryAccess& access) {
  const bool is_source = access.what != RepositoryAccess().what;
  return {ErrorKind::kInvalid, std::string(is_source ? restic_words::kNoSourceLocation.text
                                                     : restic_words::kNoLocation.text)};
}

Error unresolved(Error error) {
  return std::move(error).with(restic_words::kPasswordNotFound.text);
}

Error two_sources(const std::string& what) {
  return unresolved(
             Error(ErrorKind::kInvalid, std::string(restic_words::kPasswordFileAndCommand.text)))
      .hinting("Both are given for " + what + ": use one.");
}

// A line up to its end or the end of what `fd` gives, byte by byte, since the rest is not ours.
std::string read_line(int fd) {
  std::string line;
  line.reserve(4096);
  char c = 0;
  while (line.size() < kLongestSecret) {
    const ssize_t count = ::read(fd, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || c == '\n') break;
    line += c;
  }
  return line;
}

}  // namespace

Result<std::string> find_location(const RepositoryAccess& access) {
  if (access.location && !access.location->empty()) return *access.location;
  std::string file = access.repository_file.value_or("");
  const std::string variable = variable_of(access, "REPOSITORY");
  const std::string file_variable = variable_of(access, "REPOSITORY_FILE");
  if (access.location || access.repository_file) {
    if (file.empty()) {
      return no_location(access).hinting(
          "The one that is given is empty; it may come from a variable that is not set.");
    }
  } else {
    const std::string location = environment_variable(variable);
    file = environment_variable(file_variable);
    if (!location.empty() && !file.empty()) {
      return Error(ErrorKind::kInvalid, std::string(restic_words::kTwoLocations.text))
          .hinting("Both " + variable + " and " + file_variable + " are set: use one.");
    }
    if (!location.empty()) return location;
  }
  if (file.empty()) {
    return no_location(access).hinting("Or set " + variable + " or " + file_variable + ".");
  }
  ASSIGN_OR_RETURN(const Secret location, secret_from_file(file));
  if (location.empty()) return Error(ErrorKind::kInvalid, file + " names no repository");
  return std::string(location.text());
}

Result<Secret> secret_from_file(const std::string& path) {
  ASSIGN_OR_RETURN(std::string content, read_small_file(path));
  return as_secret(std::move(content));
}

Result<Secret> secret_from_command(const std::string& command, Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<std::string> words, split_words(command));
  Result<std::string> output = output_of_asking(words, by);
  if (!output) return std::move(output).error().with("the command that gives the password");
  return as_secret(std::move(*output));
}

Result<Secret> secret_from_prompt(const std::string& what_for) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
  if (!terminal || ::isatty(terminal.get()) == 0) {
    return Error(ErrorKind::kInvalid, "there is no terminal to ask for the " + what_for);
  }
  // Before the prompt, since this drops what was typed already: a program that types for a person
  // begins as soon as it sees the prompt.
  const SilentTerminal silent(terminal.get());
  print(terminal.get(), what_for + ": ");
  return Secret(read_line(terminal.get()));
}

Result<Secret> secret_from_input() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (::poll(&input, 1, 0) == 0) {
    print(STDERR_FILENO, "reading the password from standard input\n");
  }
  *waiting_for_secret().lock() = Waiting{};
  std::string line = read_line(STDIN_FILENO);
  leave_prompt();
  if (line.ends_with('\r')) line.pop_back();
  return Secret(std::move(line));
}

bool leave_prompt() {
  auto waiting = waiting_for_secret().lock();
  std::optional<Waiting>& prompt = *waiting;
  if (!prompt) return false;
  const auto& before = prompt->before;
  if (before) ::tcsetattr(prompt->fd, TCSAFLUSH, &*before);
  prompt.reset();
  return true;
}

namespace {

struct FoundPassword {
  Secret secret;
  bool is_typed = false;
};

Result<Secret> typed_password(const std::string& what, PasswordIs which) {
  Result<Secret> first = secret_from_prompt(which == PasswordIs::kNew ? "new " + what : what);
  if (!first || which == PasswordIs::kKnown) return first;
  ASSIGN_OR_RETURN(const Secret second, secret_from_prompt(what + " again"));
  if (first->text() != second.text()) {
    return Error(ErrorKind::kInvalid, "the passwords that were typed differ");
  }
  return first;
}

// How to give a password that nothing names.
std::string advice_for(const RepositoryAccess& access) {
  const bool reads_input = !access.input_is_data && !access.asks_nobody;
  return "Name a password file or a password command, as an option or in " +
         variable_of(access, "PASSWORD_FILE") + " or " + variable_of(access, "PASSWORD_COMMAND") +
         (reads_input ? "; or let standard input give the password." : ".");
}

Error no_password_named(const RepositoryAccess& access) {
  return Error(ErrorKind::kInvalid, "nothing gives the password of the " + access.what)
      .hinting(advice_for(access));
}

// The password that nothing names: a line of standard input, or typed at a terminal. `what`: whose.
Result<FoundPassword> ask_for_password(const std::string& what, bool may_read_input,
                                       PasswordIs which, const std::string& advice) {
  const bool reads_input = may_read_input && ::isatty(STDIN_FILENO) == 0;
  if (reads_input) {
    ASSIGN_OR_RETURN(Secret given, secret_from_input());
    if (!given.empty()) return FoundPassword{std::move(given)};
  }
  Result<Secret> typed = typed_password(what + " password", which);
  if (typed) return FoundPassword{std::move(*typed), true};
  if (!reads_input) return std::move(typed).error().hinting(advice);
  return Error(ErrorKind::kInvalid, std::string(restic_words::kEmptyPassword.text))
      .hinting("Standard input gave no password, and " + typed.error().message() + ".\n" + advice);
}

Error password_beside_none(const RepositoryAccess& access) {
  return Error(ErrorKind::kInvalid, std::string(restic_words::kPasswordBesideNone.text))
      .hinting("Leave out one of them: unset " + variable_of(access, "PASSWORD") + ", " +
               variable_of(access, "PASSWORD_FILE") + " and " +
               variable_of(access, "PASSWORD_COMMAND") + " if the " + access.what +
               " has no password.");
}

Result<FoundPassword> look_for_password(const RepositoryAccess& access, Deadline by,
                                        PasswordIs which) {
  Secret from_environment = take_environment_password(variable_of(access, "PASSWORD"));
  std::string file = access.password_file.value_or("");
  std::string command = access.password_command.value_or("");
  if (file.empty() && command.empty()) {
    if (!access.password_file) file = environment_variable(variable_of(access, "PASSWORD_FILE"));
    if (!access.password_command) {
      command = environment_variable(variable_of(access, "PASSWORD_COMMAND"));
    }
  }
  if (access.no_password) {
    if (file.empty() && command.empty() && from_environment.empty()) return FoundPassword{};
    return password_beside_none(access);
  }
  if (!file.empty() && !command.empty()) return two_sources("the password of the " + access.what);

  FoundPassword password;
  if (!file.empty() || !command.empty()) {
    Result<Secret> secret =
        command.empty() ? secret_from_file(file) : secret_from_command(command, by);
    if (!secret) return unresolved(std::move(secret).error());
    password.secret = std::move(*secret);
  } else if (!from_environment.empty()) {
    password.secret = std::move(from_environment);
  } else if (access.asks_nobody) {
    return no_password_named(access);
  } else {
    ASSIGN_OR_RETURN(
        password, ask_for_password(access.what, !access.input_is_data, which, advice_for(access)));
  }
  if (password.secret.empty()) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kEmptyPassword.text))
        .hinting("It is that of the " + access.what +
                 ". Look at the file or command that should give it.");
  }
  return password;
}

}  // namespace

Result<Secret> find_password(const RepositoryAccess& access, Deadline by, PasswordIs which) {
  ASSIGN_OR_RETURN(FoundPassword found, look_for_password(access, by, which));
  return std::move(found.secret);
}

Result<Secret> find_new_password(const NewPassword& source) {
  const std::string file = source.file.value_or("");
  if (!file.empty() && source.none) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kTwoNewPasswords.text));
  }
  if (source.none) return Secret();
  if (file.empty()) {
    ASSIGN_OR_RETURN(FoundPassword asked,
                     ask_for_password(RepositoryAccess().what, true, PasswordIs::kNew,
                                      "Name a file that holds it with --new-password-file; or let "
                                      "standard input give it."));
    if (!asked.secret.empty()) return std::move(asked.secret);
  } else {
    ASSIGN_OR_RETURN(Secret given, secret_from_file(file));
    if (!given.empty()) return given;
  }
  return Error(ErrorKind::kInvalid, std::string(restic_words::kEmptyNewPassword.text));
}

Status open_with_password(const RepositoryAccess& access,
                          const std::function<Status(const Secret&)>& open) {
  constexpr int kTries = 3;
  ASSIGN_OR_RETURN(FoundPassword password,
                   look_for_password(access, Deadline::never(), PasswordIs::kKnown));
  for (int tries_left = kTries - 1;; --tries_left) {
    Status opened = open(password.secret);
    const bool is_mistyped =
        !opened && password.is_typed && opened.error().kind() == ErrorKind::kWrongPassword;
    if (!is_mistyped || tries_left == 0) return opened;
    print(STDERR_FILENO, opened.error().message() + ". Try again\n");
    ASSIGN_OR_RETURN(password.secret,
                     typed_password(access.what + " password", PasswordIs::kKnown));
  }
}

bool names_location(const RepositoryAccess& access) {
  return access.location || access.repository_file ||
         !environment_variable(variable_of(access, "REPOSITORY")).empty() ||
         !environment_variable(variable_of(access, "REPOSITORY_FILE")).empty();
}

std::string find_key_hint(const RepositoryAccess& access) {
  return access.key_hint ? *access.key_hint : environment_variable(variable_of(access, "KEY_HINT"));
}

}  // namespace restree
