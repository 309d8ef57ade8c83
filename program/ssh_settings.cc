#include "program/ssh_settings.h"

#include <atomic>
#include <map>
#include <memory>

#include "program/access.h"
#include "repo/base/guarded.h"

namespace restree {
namespace {

OptionTable<SshSettings> make_table() {
  using S = SshSettings;
  const auto seconds = [](std::uint64_t value) { return std::chrono::seconds(value); };
  return {
      text_option<S>(
          "ssh_command", [](S & s) -> auto& { return s.options.command; }),
      text_option<S>(
          "ssh_config", [](S & s) -> auto& { return s.options.config_file; }),
      text_option<S>(
          "ssh_user", [](S & s) -> auto& { return s.options.user; }),
      number_option<S>(
          "ssh_port", 1, 65'535,
          [](S& s, std::uint64_t port) { s.options.port = static_cast<std::uint16_t>(port); }),
      {"ssh_key", true,
       [](const std::string& file, S& s) -> Status {
         s.options.identity_files.push_back(file);
         return {};
       }},
      text_option<S>(
          "ssh_known_hosts", [](S & s) -> auto& { return s.options.known_hosts_file; }),
      text_option<S>(
          "ssh_password_file", [](S & s) -> auto& { return s.password_file; }),
      text_option<S>(
          "ssh_password_command", [](S & s) -> auto& { return s.password_command; }),
      text_option<S>(
          "ssh_passphrase_file", [](S & s) -> auto& { return s.passphrase_file; }),
      text_option<S>(
          "ssh_passphrase_command", [](S & s) -> auto& { return s.passphrase_command; }),
      flag_option<S>("no_ssh_agent", [](S& s) { s.options.use_agent = false; }),
      number_option<S>(
          "connections", 1, 64,
          [](S& s, std::uint64_t count) { s.options.connections = static_cast<unsigned>(count); }),
      number_option<S>(
          "connect_timeout", 1, 3600,
          [=](S& s, std::uint64_t value) { s.options.connect_timeout = seconds(value); }),
      number_option<S>("silence_timeout", 1, 3600,
                       [=](S& s, std::uint64_t value) { s.options.silence = seconds(value); }),
  };
}

// One for the process, since there is one terminal.
std::atomic<bool>& prompted() {
  static std::atomic<bool> once = false;
  return once;
}

}  // namespace

bool has_prompted_for_ssh() { return prompted(); }

const OptionTable<SshSettings>& ssh_option_table() {
  static const OptionTable<SshSettings> table = make_table();
  return table;
}

namespace {

using TypedSecrets = Guarded<std::map<std::string, Secret>>;

// `file_option`: the option that names such a file, for a message.
SecretSource secret_source(const std::string& file, const std::string& command,
                           const std::string& file_option, Deadline::Clock::duration time_limit,
                           const std::shared_ptr<TypedSecrets>& typed) {
  return [=](const std::string& what_for) -> Result<Secret> {
    if (!file.empty()) return secret_from_file(file);
    if (!command.empty()) return secret_from_command(command, Deadline::after(time_limit));
    {
      auto known = typed->lock();
      if (const auto found = known->find(what_for); found != known->end()) {
        return found->second.clone();
      }
    }
    prompted() = true;
    Result<Secret> secret = secret_from_prompt(what_for);
    if (!secret) {
      return Error(secret.error().kind(),
                   secret.error().message() + "; " + file_option + " names a file that holds it");
    }
    typed->lock()->emplace(what_for, secret->clone());
    return secret;
  };
}

}  // namespace

SshOptions with_secret_sources(const SshSettings& settings, Deadline::Clock::duration time_limit) {
  const auto typed = std::make_shared<TypedSecrets>();
  SshOptions options = settings.options;
  options.password = secret_source(settings.password_file, settings.password_command,
                                   "ssh_password_file", time_limit, typed);
  options.passphrase = secret_source(settings.passphrase_file, settings.passphrase_command,
                                     "ssh_passphrase_file", time_limit, typed);
  options.names_password = !settings.password_file.empty() || !settings.password_command.empty();
  options.names_passphrase =
      !settings.passphrase_file.empty() || !settings.passphrase_command.empty();
  return options;
}

}  // namespace restree
