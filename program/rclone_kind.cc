#include "program/rclone_kind.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "program/named_option.h"
#include "program/sftp_kind.h"
#include "repo/base/log.h"
#include "repo/base/readable.h"
#include "repo/storage/rclone/rclone_place.h"
#include "repo/system/child_process.h"

namespace restree {
namespace {

constexpr std::string_view kRclone = "rclone:";

SecretSource source_of(const std::shared_ptr<const Secret>& secret) {
  return [secret](const std::string&) -> Result<Secret> { return secret->clone(); };
}

// What the options rclone.* say.
struct RunningRclone {
  std::optional<unsigned> connections = {};
  std::string without_effect = {};  // the names of those that are about a program that is not run
};

void note_without_effect(std::string_view name, RunningRclone& options) {
  if (!options.without_effect.empty()) options.without_effect += ", ";
  options.without_effect += name;
}

// What restic gives rclone by itself, and what concerns rclone's log: nothing is lost without them.
bool is_harmless_argument(std::string_view word) {
  constexpr std::array<std::string_view, 8> kHarmless{
      "serve", "restic", "--stdio", "--b2-hard-delete", "-v", "--verbose", "-q", "--quiet"};
  return std::ranges::find(kHarmless, word) != kHarmless.end();
}

Status take_arguments(const std::string& value, RunningRclone& options) {
  ASSIGN_OR_RETURN(const std::vector<std::string> words, split_words(value));
  const auto refused = std::ranges::find_if_not(words, is_harmless_argument);
  if (refused != words.end()) {
    return Error(ErrorKind::kUnsupported,
                 fmt::format("-o rclone.args: {}: no rclone is run", readable(*refused)))
        .hinting("Leave it out; rclone's configuration file is named by RCLONE_CONFIG.");
  }
  note_without_effect("rclone.args", options);
  return {};
}

NamedOption<RunningRclone> without_effect(std::string_view name) {
  return {name, true, [name](const std::string&, RunningRclone& options) -> Status {
            note_without_effect(name, options);
            return {};
          }};
}

const OptionTable<RunningRclone>& rclone_options() {
  using R = RunningRclone;
  static const OptionTable<R> table = {
      number_option<R>(
          "rclone.connections", 1, 64,
          [](R& r, std::uint64_t count) { r.connections = static_cast<unsigned>(count); }),
      {"rclone.args", true, take_arguments},
      without_effect("rclone.program"),
      without_effect("rclone.timeout"),
  };
  return table;
}

// A folder or a server whose address and login are a remote's. Options that the user gives win.
class RcloneLocation final : public Location {
 public:
  RcloneLocation(std::string written, std::unique_ptr<const Location> place,
                 std::optional<RcloneServer> server)
      : written_(std::move(written)), place_(std::move(place)), server_(std::move(server)) {}

  std::string description() const override { return written_; }
  bool is_far() const override { return place_->is_far(); }
  std::optional<std::string> folder() const override { return place_->folder(); }
  std::string identity(const SshOptions& options) const override {
    return place_->identity(options);
  }

  Status take_rclone_options(const std::vector<std::string>& words,
                             SshOptions& options) const override {
    RunningRclone given;
    for (const std::string& word : words) {
      const auto* const option = find_option(rclone_options(), word);
      if (option == nullptr) {
        return Error(ErrorKind::kUnsupported,
                     fmt::format("-o {} is not known", word.substr(0, word.find('='))))
            .hinting("restree(1) lists the extended options.");
      }
      RETURN_IF_ERROR(apply_option(*option, word, given));
    }
    if (given.connections) options.connections = *given.connections;
    if (!given.without_effect.empty()) {
      log::warning("no rclone is run: without effect: {}", given.without_effect);
    }
    return {};
  }

  Result<std::shared_ptr<Storage>> make_storage(const SshOptions& options,
                                                const std::stop_token& stop) const override {
    return place_->make_storage(server_ ? completed(options, *server_) : options, stop);
  }

 private:
  static SshOptions completed(SshOptions options, const RcloneServer& server) {
    // rclone does not read ~/.ssh/config, where the host's name may stand for another server. A
    // command of the user's is left alone: it may be ssh with a configuration of its own.
    if (options.config_file.empty() && options.command.empty()) options.config_file = "none";
    if (options.identity_files.empty()) {
      if (!server.key_file.empty()) options.identity_files = {server.key_file};
      options.use_default_keys = server.use_default_keys;
      options.use_agent = options.use_agent && server.use_agent;
    }
    if (options.known_hosts_file.empty()) options.known_hosts_file = server.known_hosts_file;
    if (server.password && !options.names_password) options.password = source_of(server.password);
    if (server.passphrase && !options.names_passphrase) {
      options.passphrase = source_of(server.passphrase);
    }
    if (server.connections > 0) {
      options.connections = std::min(options.connections, server.connections);
    }
    return options;
  }

  const std::string written_;
  const std::unique_ptr<const Location> place_;
  const std::optional<RcloneServer> server_;
};

}  // namespace

std::vector<std::string_view> rclone_option_names() {
  std::vector<std::string_view> names;
  for (const auto& option : rclone_options()) names.push_back(option.name);
  return names;
}

Result<std::unique_ptr<const Location>> parse_rclone_kind(std::string_view text) {
  ASSIGN_OR_RETURN(RclonePlace found, find_rclone_place(text.substr(kRclone.size())));
  std::unique_ptr<const Location> place;
  std::optional<RcloneServer> server;
  if (const auto* const folder = std::get_if<RcloneFolder>(&found)) {
    if (folder->path.empty()) {
      return Error(ErrorKind::kInvalid, fmt::format("repository '{}': the path is missing", text));
    }
    place = local_location(folder->path);
  } else {
    server = std::get<RcloneServer>(std::move(found));
    ASSIGN_OR_RETURN(SftpLocation location, make_sftp_location({.path = server->path,
                                                                .user = server->user,
                                                                .host = server->host,
                                                                .port = server->port},
                                                               text));
    place = sftp_location(std::move(location), std::string(text));
  }
  return std::unique_ptr<const Location>(
      std::make_unique<RcloneLocation>(std::string(text), std::move(place), std::move(server)));
}

}  // namespace restree
