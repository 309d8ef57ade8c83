#include "repo/storage/ssh/ssh_target.h"

#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>

#include "repo/storage/ssh/known_hosts.h"
#include "repo/system/child_process.h"
#include "repo/system/environment.h"

namespace restree {

namespace {

std::string home_or_root() {
  std::string home = home_folder();
  return home.empty() ? "/" : home;
}

std::string login_name() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry == nullptr ? environment_variable("USER") : entry->pw_name;
}

std::string expand_home(std::string path) {
  if (path == "~" || path.starts_with("~/")) path.replace(0, 1, home_or_root());
  return path;
}

// ssh's %-tokens; `ssh -G` prints them as they were written. An unknown one stays as it is.
std::string expand_tokens(std::string_view text, const SshTarget& target) {
  const auto value_of = [&](char token) -> std::optional<std::string> {
    switch (token) {
      case '%':
        return "%";
      case 'h':
        return target.host;
      case 'n':
        return target.alias;
      case 'k':
        return target.key_name.empty() ? target.host : target.key_name;
      case 'p':
        return std::to_string(target.port);
      case 'r':
        return target.user;
      case 'u':
        return login_name();
      case 'd':
        return home_or_root();
      case 'i':
        return std::to_string(::getuid());
      default:
        return std::nullopt;
    }
  };
  std::string expanded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto value = text[i] == '%' && i + 1 < text.size() ? value_of(text[i + 1]) : std::nullopt;
    if (value) {
      expanded += *value;
      ++i;
    } else {
      expanded += text[i];
    }
  }
  return expanded;
}

using Settings = std::multimap<std::string, std::string, std::less<>>;

Settings read_settings(std::string_view printed) {
  Settings settings;
  while (!printed.empty()) {
    const auto line = printed.substr(0, printed.find('\n'));
    printed.remove_prefix(std::min(line.size() + 1, printed.size()));
    const auto space = line.find(' ');
    if (space == std::string_view::npos) continue;
    settings.emplace(line.substr(0, space), line.substr(space + 1));
  }
  return settings;
}

std::string one(const Settings& settings, std::string_view key) {
  const auto found = settings.find(key);
  return found == settings.end() ? "" : found->second;
}

std::vector<std::string> files_in(std::string_view list, const SshTarget& target) {
  std::vector<std::string> files;
  while (!list.empty()) {
    const auto word = list.substr(0, list.find(' '));
    list.remove_prefix(std::min(word.size() + 1, list.size()));
    if (!word.empty() && word != "none") {
      files.push_back(expand_home(expand_tokens(word, target)));
    }
  }
  return files;
}

// "[user@]host[:port]" or "ssh://[user@]host[:port]", the host maybe in brackets.
void add_hop(std::string_view hop, std::vector<std::string>& words) {
  if (hop.starts_with("ssh://")) hop.remove_prefix(6);
  if (const auto at = hop.rfind('@'); at != std::string_view::npos) {
    words.insert(words.end(), {"-l", std::string(hop.substr(0, at))});
    hop.remove_prefix(at + 1);
  }
  const auto colon = hop.rfind(':');
  const bool has_port =
      colon != std::string_view::npos &&
      (hop.starts_with('[') ? colon > 0 && hop[colon - 1] == ']' : hop.find(':') == colon);
  if (has_port) {
    words.insert(words.end(), {"-p", std::string(hop.substr(colon + 1))});
    hop = hop.substr(0, colon);
  }
  if (hop.starts_with('[') && hop.ends_with(']')) hop = hop.substr(1, hop.size() - 2);
  words.insert(words.end(), {"--", std::string(hop)});
}

std::vector<std::string> ssh_words(const SshOptions& options) {
  std::vector<std::string> words{"ssh"};
  if (!options.config_file.empty()) words.insert(words.end(), {"-F", options.config_file});
  return words;
}

// ssh itself connects through the last jump, and there through those before it.
std::vector<std::string> jump_command(std::string_view jumps, const SshTarget& target,
                                      const SshOptions& options) {
  const auto comma = jumps.rfind(',');
  std::vector<std::string> words = ssh_words(options);
  words.insert(words.end(), {"-o", "BatchMode=yes"});
  if (comma != std::string_view::npos) {
    words.insert(words.end(), {"-J", std::string(jumps.substr(0, comma))});
    jumps.remove_prefix(comma + 1);
  }
  words.insert(words.end(), {"-W", fmt::format("[{}]:{}", target.host, target.port)});
  add_hop(jumps, words);
  return words;
}

std::vector<std::string> proxy_of(const Settings& settings, const SshTarget& target,
                                  const SshOptions& options) {
  if (const std::string jumps = one(settings, "proxyjump"); !jumps.empty() && jumps != "none") {
    return jump_command(jumps, target, options);
  }
  const std::string command = one(settings, "proxycommand");
  if (command.empty() || command == "none") return {};
  // A shell runs this, as ssh_config(5) says. The command is the user's own.
  std::string shell = environment_variable("SHELL");
  if (shell.empty()) shell = "/bin/sh";
  // A bash whose input is a socket believes that it serves a login over the network, and reads
  // ~/.bashrc, whose output would be taken for the server's. SHLVL=1 makes it a shell within a
  // shell, which does not read it.
  return {"env", "SHLVL=1", shell, "-c", "exec " + expand_tokens(command, target)};
}

std::string agent_of(const std::string& setting, const SshTarget& target) {
  if (setting == "none") return "";
  if (setting.empty() || setting == "SSH_AUTH_SOCK") return environment_variable("SSH_AUTH_SOCK");
  if (setting.starts_with('$')) return environment_variable(setting.substr(1));
  return expand_home(expand_tokens(setting, target));
}

}  // namespace

Result<SshTarget> parse_ssh_settings(const std::string& alias, std::string_view printed,
                                     const SshOptions& options) {
  const Settings settings = read_settings(printed);
  SshTarget target;
  target.alias = alias;
  target.host = one(settings, "hostname");
  if (target.host.empty()) target.host = alias;
  target.key_name = one(settings, "hostkeyalias");  // stands for host and port
  target.user = one(settings, "user");
  if (target.user.empty()) target.user = login_name();
  if (const std::string port = one(settings, "port"); !port.empty()) {
    const auto read = std::from_chars(port.data(), port.data() + port.size(), target.port);
    if (read.ec != std::errc() || read.ptr != port.data() + port.size() || target.port == 0) {
      return Error(ErrorKind::kInvalid, fmt::format("{}: '{}' is not a port", alias, port));
    }
  }
  target.identities_only = one(settings, "identitiesonly") == "yes";
  const auto [begin, end] = settings.equal_range("identityfile");
  for (auto file = begin; file != end; ++file) {
    if (file->second == "none") continue;
    target.identity_files.push_back(expand_home(expand_tokens(file->second, target)));
  }
  target.agent_socket = agent_of(one(settings, "identityagent"), target);
  target.known_hosts_files = files_in(one(settings, "userknownhostsfile"), target);
  for (auto& file : files_in(one(settings, "globalknownhostsfile"), target)) {
    target.known_hosts_files.push_back(std::move(file));
  }
  target.proxy = proxy_of(settings, target, options);
  if (target.key_name.empty()) target.key_name = KnownHosts::name_of(target.host, target.port);
  return target;
}

Result<SshTarget> find_ssh_target(const std::string& alias, const std::string& user,
                                  std::optional<std::uint16_t> port, const SshOptions& options,
                                  Deadline by) {
  if (alias.empty() || alias.starts_with('-')) {
    return Error(ErrorKind::kInvalid, fmt::format("'{}' is not a host name", alias));
  }
  const std::string wanted_user = options.user.empty() ? user : options.user;
  const auto wanted_port = options.port ? options.port : port;
  std::vector<std::string> words = ssh_words(options);
  words.emplace_back("-G");
  if (wanted_port) words.insert(words.end(), {"-p", std::to_string(*wanted_port)});
  if (!wanted_user.empty()) words.insert(words.end(), {"-l", wanted_user});
  words.insert(words.end(), {"--", alias});

  std::string settings;
  if (auto printed = output_of(words, by)) {
    settings = std::move(*printed);
  } else if (printed.error().kind() == ErrorKind::kNotFound) {
    settings =
        "identityfile ~/.ssh/id_ed25519\nidentityfile ~/.ssh/id_ecdsa\nidentityfile ~/.ssh/id_rsa\n"
        "userknownhostsfile ~/.ssh/known_hosts\nglobalknownhostsfile /etc/ssh/ssh_known_hosts\n";
    if (!wanted_user.empty()) settings += fmt::format("user {}\n", wanted_user);
    if (wanted_port) settings += fmt::format("port {}\n", *wanted_port);
  } else {
    return std::move(printed).error().with("read the SSH configuration");
  }
  ASSIGN_OR_RETURN(SshTarget target, parse_ssh_settings(alias, settings, options));
  if (!options.identity_files.empty() || !options.use_default_keys) {
    target.identity_files = options.identity_files;
    target.identities_only = true;
  }
  if (!options.known_hosts_file.empty()) target.known_hosts_files = {options.known_hosts_file};
  if (!options.use_agent) target.agent_socket.clear();
  return target;
}

}  // namespace restree
