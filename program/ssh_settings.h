// The options about SSH that every program takes after -o, and where SSH's passwords come from.
#pragma once

#include <string>

#include "program/named_option.h"
#include "repo/base/clock.h"
#include "repo/storage/ssh/ssh_options.h"

namespace restree {

struct SshSettings {
  SshOptions options;
  std::string password_file;  // of the login
  std::string password_command;
  std::string passphrase_file;  // of encrypted keys
  std::string passphrase_command;
};

// ssh_command, ssh_port, connections, …
const OptionTable<SshSettings>& ssh_option_table();

// SSH's options with a source for passwords and one for passphrases: the file, the command (which
// gets `time_limit`), or else a prompt. What is meant for a key is never used as a password, which
// the server would see, nor the other way round. A typed secret is kept: every further connection, and every one
// after a connection broke, needs it again, when nobody is there to ask.
SshOptions with_secret_sources(const SshSettings& settings, Deadline::Clock::duration time_limit);
// True once such a prompt was shown on the terminal: a long wait may then have been the person's.
bool has_prompted_for_ssh();

}  // namespace restree
