// How a user says which repository is meant and how to open it: environment, files, commands,
// standard input, or a prompt. The words are restic's.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/crypto/secret.h"

namespace restree {

// Fields that are not set are looked up in the environment. One that is set and empty, as from a
// shell's variable that is not set, names nothing: it does not stand for the environment's.
struct RepositoryAccess {
  std::optional<std::string> location;  // or RESTIC_REPOSITORY, or RESTIC_REPOSITORY_FILE
  std::optional<std::string> repository_file;
  std::optional<std::string> password_file;
  std::optional<std::string> password_command;
  std::optional<std::string> key_hint;         // or RESTIC_KEY_HINT
  std::optional<std::string> rescue_key = {};  // or RESTREE_RESCUE_KEY: see rescue_key.h
  // How the names of the variables begin; RESTIC_FROM_ for the repository that is copied from.
  std::string variables = "RESTIC_";
  std::string variables_end = "";   // how they end; 2 for the options that restic has deprecated
  std::string what = "repository";  // for messages and prompts
  bool no_password = false;         // the password is empty: --insecure-no-password
  bool input_is_data = false;       // standard input has other content than a password
  bool asks_nobody = false;         // nor is a person asked: the password must be named
};

// The repository's location, which must come from one place only. kInvalid: from none, or from two.
Result<std::string> find_location(const RepositoryAccess& access);

// The repository's password: password file or command (not both), then RESTIC_PASSWORD_FILE,
// RESTIC_PASSWORD_COMMAND and RESTIC_PASSWORD, then a line of standard input if that is not a
// terminal, then a prompt on the terminal. RESTIC_PASSWORD is wiped from the environment once it
// was read. A new password is asked for twice. kInvalid: nothing gives one, the second one typed
// differs from the first, or one is given although `no_password` says that there is none.
enum class PasswordIs { kKnown, kNew };
Result<Secret> find_password(const RepositoryAccess& access, Deadline by,
                             PasswordIs which = PasswordIs::kKnown);

// Where the password of a further key comes from. No variable of the environment names it.
struct NewPassword {
  std::optional<std::string> file;  // --new-password-file; an empty name counts as none
  bool none = false;                // --new-insecure-no-password: it is empty
};
// That password; without a source, a line of standard input if that is not a terminal, or typed
// twice. kInvalid: both are given, or what should give it gives an empty one.
Result<Secret> find_new_password(const NewPassword& source);

// Calls `open` with the password. If that was typed at a prompt and `open` fails with
// kWrongPassword, asks and calls again, three times in all. Errors: those of find_password() and
// of `open`.
Status open_with_password(const RepositoryAccess& access,
                          const std::function<Status(const Secret&)>& open);

// Whether an option, also with an empty value, or a variable says where the repository is.
bool names_location(const RepositoryAccess& access);

std::string find_key_hint(const RepositoryAccess& access);

// The secret in a file or printed by a command, without the white space around it. Files may be
// UTF-8 with a byte order mark, or UTF-16.
Result<Secret> secret_from_file(const std::string& path);
Result<Secret> secret_from_command(const std::string& command, Deadline by);
// Asks on the terminal, without echo. kInvalid: there is no terminal.
Result<Secret> secret_from_prompt(const std::string& what_for);
// The first line of standard input; empty if there is none. Bytes behind that line are not read.
Result<Secret> secret_from_input();
// If a prompt is waiting, gives the terminal its echo back; returns whether one was, or whether
// standard input is being read for a secret. To be called before the process ends at a signal.
bool leave_prompt();

}  // namespace restree
