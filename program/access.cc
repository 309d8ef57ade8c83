#include "program/access.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "repo/base/child_process.h"
#include "repo/base/environment.h"
#include "repo/base/guarded.h"
#include "repo/base/unique_fd.h"

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

// A terminal whose echo is off, and how it was before.
struct Silenced {
  int fd;
  termios before;
};
Guarded<std::optional<Silenced>>& silenced_terminal() {
  static Guarded<std::optional<Silenced>> terminal;
  return terminal;
}

// Echo off for as long as this lives.
class SilentTerminal {
 public:
  explicit SilentTerminal(int fd) {
    Silenced silenced{fd, {}};
    if (::tcgetattr(fd, &silenced.before) != 0) return;
    termios silent = silenced.before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL;
    *silenced_terminal().lock() = silenced;
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

bool is_given(const std::optional<std::string>& value) { return value && !value->empty(); }

Error two_sources(const std::string& what) {
  return {ErrorKind::kInvalid, "both a file and a command are given for " + what + "; use one"};
}

}  // namespace

Result<std::string> find_location(const RepositoryAccess& access) {
  if (is_given(access.location)) return *access.location;
  std::string file = access.repository_file.value_or("");
  const std::string variable = access.variables + "REPOSITORY";
  if (access.location || access.repository_file) {
    if (file.empty()) {
      return Error(ErrorKind::kInvalid, "the location given for the " + access.what + " is empty")
          .hinting("It may come from a variable that is not set.");
    }
  } else {
    const std::string location = environment_variable(variable);
    file = environment_variable(variable + "_FILE");
    if (!location.empty() && !file.empty()) {
      return Error(ErrorKind::kInvalid,
                   "both " + variable + " and " + variable + "_FILE are set; use one");
    }
    if (!location.empty()) return location;
  }
  if (file.empty()) {
    return Error(ErrorKind::kInvalid, "no " + access.what + " is named")
        .hinting("Give its location, or set " + variable + " or " + variable + "_FILE.");
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
  ASSIGN_OR_RETURN(std::string output, output_of(words, by));
  return as_secret(std::move(output));
}

Result<Secret> secret_from_prompt(const std::string& what_for) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
  if (!terminal || ::isatty(terminal.get()) == 0) {
    return Error(ErrorKind::kInvalid, "there is no terminal to ask for the " + what_for);
  }
  print(terminal.get(), what_for + ": ");
  std::string line;
  line.reserve(4096);
  const SilentTerminal silent(terminal.get());
  char c = 0;
  while (::read(terminal.get(), &c, 1) == 1 && c != '\n') line += c;
  return Secret(std::move(line));
}

bool leave_prompt() {
  auto silenced = silenced_terminal().lock();
  if (!silenced->has_value()) return false;
  ::tcsetattr((*silenced)->fd, TCSAFLUSH, &(*silenced)->before);
  silenced->reset();
  return true;
}

namespace {

Result<Secret> typed_password(const std::string& what, PasswordIs which) {
  Result<Secret> first = secret_from_prompt(which == PasswordIs::kNew ? "new " + what : what);
  if (!first || which == PasswordIs::kKnown) return first;
  ASSIGN_OR_RETURN(const Secret second, secret_from_prompt(what + " again"));
  if (first->text() != second.text()) {
    return Error(ErrorKind::kInvalid, "the passwords that were typed differ");
  }
  return first;
}

}  // namespace

Result<Secret> find_password(const RepositoryAccess& access, Deadline by, PasswordIs which) {
  const std::string variable = access.variables + "PASSWORD";
  Secret from_environment = take_environment_password(variable);
  std::string file = access.password_file.value_or("");
  std::string command = access.password_command.value_or("");
  if (file.empty() && command.empty()) {
    if (!access.password_file) file = environment_variable(variable + "_FILE");
    if (!access.password_command) command = environment_variable(variable + "_COMMAND");
  }
  if (!file.empty() && !command.empty()) return two_sources("the password of the " + access.what);

  Secret password;
  if (!file.empty()) {
    ASSIGN_OR_RETURN(password, secret_from_file(file));
  } else if (!command.empty()) {
    ASSIGN_OR_RETURN(password, secret_from_command(command, by));
  } else if (!from_environment.empty()) {
    password = std::move(from_environment);
  } else {
    Result<Secret> typed = typed_password(access.what + " password", which);
    if (!typed) {
      return std::move(typed).error().hinting(
          "Name a password file or a password command, as an option or in " + variable +
          "_FILE or " + variable + "_COMMAND.");
    }
    password = std::move(*typed);
  }
  if (password.empty()) {
    return Error(ErrorKind::kInvalid, "the password of the " + access.what + " is empty")
        .hinting("Look at the file or command that should give it.");
  }
  return password;
}

std::string find_key_hint(const RepositoryAccess& access) {
  return access.key_hint ? *access.key_hint : environment_variable(access.variables + "KEY_HINT");
}

}  // namespace restree
