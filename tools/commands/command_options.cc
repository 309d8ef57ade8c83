// restree options
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tools/cli/global_options.h"
#include "tools/commands/commands.h"

namespace restree {
namespace {

struct Described {
  std::string_view name;
  std::string_view text;
};

constexpr std::array kDescribed = {
    Described{"cache_min_free",
              "what the cache leaves free on its disk, a size or NUMBER% (default: 10%)"},
    Described{"cache_size", "what the repository's cache takes at most (default: 10G)"},
    Described{"connect_timeout", "seconds that a login may take (default: 15)"},
    Described{"connections", "the same as sftp.connections"},
    Described{"local.connections", "accepted without effect"},
    Described{"no_ssh_agent", "do not ask the agent for keys"},
    Described{"sftp.args", "specify arguments for ssh"},
    Described{"sftp.command", "specify command to create sftp connection"},
    Described{"sftp.connections",
              "set a limit for the number of concurrent connections (default: 4)"},
    Described{"silence_timeout",
              "seconds of silence after which a connection is replaced (default: 15)"},
    Described{"ssh_command", "the same as sftp.command"},
    Described{"ssh_config", "a configuration file instead of ~/.ssh/config"},
    Described{"ssh_key", "a file with a private key"},
    Described{"ssh_known_hosts", "the file with the server's public key"},
    Described{"ssh_passphrase_command", "a command that prints the passphrase of a key"},
    Described{"ssh_passphrase_file", "a file that holds the passphrase of a key"},
    Described{"ssh_password_command", "a command that prints the login's password"},
    Described{"ssh_password_file", "a file that holds the login's password"},
    Described{"ssh_port", "the server's port"},
    Described{"ssh_user", "the user to log in as"},
    Described{"timeout", "seconds to wait for a server that is away (default: 900)"},
};

std::string_view description_of(std::string_view name) {
  const auto* const found = std::ranges::find(kDescribed, name, &Described::name);
  return found == kDescribed.end() ? std::string_view() : found->text;
}

}  // namespace

Run declare_options(CommandSyntax&) {
  return [](Session& session) -> Result<ExitCode> {
    std::vector<std::string> names = extended_option_names();
    std::ranges::sort(names);
    std::size_t longest = 0;
    for (const std::string& name : names) longest = std::max(longest, name.size());
    session.io().out_line("All Extended Options:");
    for (const std::string& name : names) {
      session.io().out_line(fmt::format("  {:{}}  {}", name, longest, description_of(name)));
    }
    return ExitCode::kSuccess;
  };
}

}  // namespace restree
