#include "tools/cli/global_options.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "program/command_line/go_values.h"
#include "program/named_option.h"
#include "program/rclone_kind.h"
#include "repo/base/restic_words.h"
#include "repo/system/environment.h"
#include "tools/cli/option_words.h"

namespace restree {
namespace {

const std::vector<std::string> kCompressionModes = {"auto", "off", "fastest", "better", "max"};
constexpr std::uint64_t kLeastPackMib = 4;
constexpr std::uint64_t kMostPackMib = 128;
// More than any line carries; beyond that the numbers of bytes would not fit.
constexpr std::int64_t kMostKib = std::int64_t{1} << 40;

// restic's extended options for which Restree has options of its own too.
OptionTable<SshSettings> restic_names() {
  using S = SshSettings;
  return {
      number_option<S>(
          "sftp.connections", 1, 64,
          [](S& s, std::uint64_t count) { s.options.connections = static_cast<unsigned>(count); }),
      text_option<S>(
          "sftp.command", [](S & s) -> auto& { return s.options.command; }),
      {"sftp.args", true,
       [](const std::string& words, S& s) -> Status {
         s.options.command = "ssh " + words;
         return {};
       }},
      // Accepted without effect: the number of threads for local files follows from the work.
      number_option<S>("local.connections", 1, 1000, [](S&, std::uint64_t) {}),
  };
}

const OptionTable<SshSettings>& extended_options() {
  static const OptionTable<SshSettings> table = [] {
    OptionTable<SshSettings> all = ssh_option_table();
    for (auto& option : restic_names()) all.push_back(std::move(option));
    return all;
  }();
  return table;
}

// Extended options that only Restree has.
const OptionTable<GlobalOptions>& own_extended_options() {
  using G = GlobalOptions;
  static const OptionTable<G> table = [] {
    OptionTable<G> all = {
        number_option<G>(
            "timeout", 1, 86'400,
            [](G& g, std::uint64_t value) { g.patience = std::chrono::seconds(value); }),
    };
    for (const auto& option : cache_limit_options()) {
      all.push_back(option_within<G>(option, [](G& g) -> CacheSettings& { return g.cache; }));
    }
    return all;
  }();
  return table;
}

// As restic reads it: the case of letters in the name and white space around both do not matter.
std::string normalized(const std::string& word) {
  const auto without_spaces = [](std::string_view text) {
    constexpr std::string_view kSpaces = " \t\r\n\v\f";
    const std::size_t first = text.find_first_not_of(kSpaces);
    if (first == std::string_view::npos) return std::string_view();
    return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
  };
  const std::string_view text = word;
  const std::size_t equals = text.find('=');
  std::string name(without_spaces(text.substr(0, equals)));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (equals == std::string_view::npos) return name;
  return fmt::format("{}={}", name, without_spaces(text.substr(equals + 1)));
}

// Whether the option is for a storage that restic has and Restree does not, or for rclone, whose
// options only locations at a remote of rclone's read. As in restic it has no effect on other
// storages: scripts set such options once for all.
bool is_of_another_storage(std::string_view word) {
  constexpr std::array<std::string_view, 7> kPrefixes{"azure.", "b2.", "gs.",   "rclone.",
                                                      "rest.",  "s3.", "swift."};
  return std::ranges::any_of(kPrefixes,
                             [&](std::string_view prefix) { return word.starts_with(prefix); });
}

Status apply_extended(const std::string& word, GlobalOptions& options) {
  if (const auto* own = find_option(own_extended_options(), word)) {
    return apply_option(*own, word, options);
  }
  const NamedOption<SshSettings>* option = find_option(extended_options(), word);
  if (option != nullptr) return apply_option(*option, word, options.ssh);
  const std::string name = word.substr(0, word.find('='));
  if (name.empty()) return Error(ErrorKind::kInvalid, "empty key is not a valid option");
  return Error(ErrorKind::kUnsupported, fmt::format("-o {} is not known", name))
      .hinting("restree(1) lists the extended options.");
}

Status settle_extended(GlobalOptions& options) {
  options.rclone.clear();
  for (const std::string& given : options.extended) {
    const std::string word = normalized(given);
    if (word.starts_with("rclone.")) options.rclone.push_back(word);
  }
  bool has_command = false;
  bool has_arguments = false;
  for (const std::string& word : extended_words(options)) {
    RETURN_IF_ERROR(apply_extended(word, options));
    has_command = has_command || word.starts_with("sftp.command=");
    has_arguments = has_arguments || word.starts_with("sftp.args=");
  }
  if (has_command && has_arguments) {
    return Error(ErrorKind::kInvalid, "-o sftp.command and -o sftp.args exclude each other");
  }
  return {};
}

Status settle_verbosity(GlobalOptions& options) {
  if (options.quiet && options.verbose > 0) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kQuietAndVerbose.text));
  }
  options.verbosity =
      options.quiet ? 0 : static_cast<int>(1 + std::clamp<std::int64_t>(options.verbose, 0, 2));
  return {};
}

Status settle_packs(GlobalOptions& options) {
  if (options.compression.empty()) {
    const std::string mode = environment_variable("RESTIC_COMPRESSION");
    options.compression = mode.empty() ? "auto" : mode;
    if (std::find(kCompressionModes.begin(), kCompressionModes.end(), options.compression) ==
        kCompressionModes.end()) {
      return bad_variable("RESTIC_COMPRESSION", mode,
                          fmt::format(restic_words::kBadCompression.text, mode));
    }
  }
  std::uint64_t mib = options.pack_size_mib;
  if (const std::string size = environment_variable("RESTIC_PACK_SIZE");
      mib == 0 && !size.empty()) {
    const Result<std::uint64_t> number = parse_go_uint(size);
    if (!number) return bad_variable("RESTIC_PACK_SIZE", size, number.error().message());
    mib = *number;
  }
  if (mib > kMostPackMib) {
    return Error(ErrorKind::kInvalid, fmt::format(restic_words::kPackTooLarge.text, kMostPackMib));
  }
  if (mib != 0 && mib < kLeastPackMib) {
    return Error(ErrorKind::kInvalid, fmt::format(restic_words::kPackTooSmall.text, kLeastPackMib));
  }
  options.pack_size_bytes = mib << 20;
  return {};
}

Status settle_limits(GlobalOptions& options) {
  if (options.upload_limit_kib < 0 || options.download_limit_kib < 0) {
    return Error(ErrorKind::kInvalid, "--limit-upload and --limit-download are KiB a second");
  }
  const auto bytes = [](std::int64_t kib) {
    return static_cast<std::uint64_t>(std::min(kib, kMostKib)) << 10;
  };
  options.upload_limit = bytes(options.upload_limit_kib);
  options.download_limit = bytes(options.download_limit_kib);
  return {};
}

void add_repository_options(CommandSyntax& app, GlobalOptions& options) {
  add_text(app, "-r,--repo", options.access.location,
           "Where the repository is (default: $RESTIC_REPOSITORY)", TextIs::kFolder);
  add_text(app, "--repository-file", options.access.repository_file,
           "A file that says where the repository is (default: $RESTIC_REPOSITORY_FILE)",
           TextIs::kFile);
  add_text(app, "-p,--password-file", options.access.password_file,
           "A file with the repository's password (default: $RESTIC_PASSWORD_FILE)", TextIs::kFile);
  add_text(app, "--password-command", options.access.password_command,
           "A command that prints the password (default: $RESTIC_PASSWORD_COMMAND)");
  add_text(app, "--key-hint", options.access.key_hint,
           "The id of the key to try first (default: $RESTIC_KEY_HINT)");
  add_text(app, "--rescue-key", options.access.rescue_key,
           "A rescue key, for a repository that has lost its keys (default: $RESTREE_RESCUE_KEY)",
           TextIs::kFile);
  add_flag(app, "--insecure-no-password", options.insecure_no_password,
           "The repository's password is empty");
  add_text(
      app, "--as-of", options.as_of,
      "Only what this machine had seen by then, 2006-01-02 15:04; for commands that only read");
  add_flag(app, "--no-lock", options.no_lock,
           "Do not lock the repository; for commands that only read");
  add_duration(app, "--retry-lock", options.retry_lock,
               "Wait this long for a repository that is locked, such as 5m or 2h");
}

void add_output_options(CommandSyntax& app, GlobalOptions& options) {
  add_flag(app, "--json", options.json, "Print JSON, for the commands that can");
  add_flag(app, "-q,--quiet", options.quiet, "Print no more than is needed");
  add_count(app, "-v,--verbose", options.verbose, "Print more; -vv or --verbose=2: still more");
}

void add_transfer_options(CommandSyntax& app, GlobalOptions& options) {
  add_text(app, "--cache-dir", options.cache.folder,
           "The folder for caches (default: $RESTIC_CACHE_DIR, $XDG_CACHE_HOME or ~/.cache)",
           TextIs::kFolder);
  add_flag(app, "--no-cache", options.cache.off, "Use no cache on disk");
  add_flag(app, "--cleanup-cache", options.cleanup_cache,
           "Remove the caches that were not used for 30 days");
  options.compression.clear();
  add_choice(app, "--compression", options.compression, "compression mode", kCompressionModes,
             "How to compress what is written (default: $RESTIC_COMPRESSION, or auto)");
  add_number(app, "--pack-size", options.pack_size_mib,
             "The size of new pack files in MiB (default: $RESTIC_PACK_SIZE, or 16)");
  add_flag(app, "--no-extra-verify", options.no_extra_verify,
           "Changes nothing: what is in memory is always checked before it is written");
  add_number(app, "--limit-upload", options.upload_limit_kib,
             "Upload at most this many KiB a second");
  add_number(app, "--limit-download", options.download_limit_kib,
             "Download at most this many KiB a second");
  add_duration(app, "--stuck-request-timeout", options.stuck_request_timeout,
               "A connection that is silent for this long is made anew");
  add_comma_list(app, "-o,--option", options.extended,
                 "An extended option, key=value: see EXTENDED OPTIONS in restree(1)");
  // For storage that is reached by HTTP, as are the -o options in is_of_another_storage().
  ignore_option(app, "--cacert", Takes::kValue);
  ignore_option(app, "--tls-client-cert", Takes::kValue);
  ignore_option(app, "--http-user-agent", Takes::kValue);
  ignore_option(app, "--insecure-tls", Takes::kNothing);
}

}  // namespace

void add_global_options(CommandSyntax& app, GlobalOptions& options) {
  add_repository_options(app, options);
  add_output_options(app, options);
  add_transfer_options(app, options);
}

Status settle(GlobalOptions& options) {
  const RepositoryAccess& access = options.access;
  if (!access.location.value_or("").empty() && !access.repository_file.value_or("").empty()) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kTwoLocations.text));
  }
  RETURN_IF_ERROR(settle_verbosity(options));
  RETURN_IF_ERROR(settle_packs(options));
  RETURN_IF_ERROR(settle_limits(options));
  options.retry_lock = std::max(options.retry_lock, std::chrono::nanoseconds(0));
  if (options.stuck_request_timeout.count() > 0) {
    options.ssh.options.silence =
        std::chrono::ceil<std::chrono::milliseconds>(options.stuck_request_timeout);
  }
  return settle_extended(options);
}

std::vector<std::string> extended_words(const GlobalOptions& options) {
  std::vector<std::string> all;
  for (const std::string& given : options.extended) {
    std::string word = normalized(given);
    if (!is_of_another_storage(word)) all.push_back(std::move(word));
  }
  return all;
}

std::vector<std::string> extended_option_names() {
  std::vector<std::string> names;
  for (const auto& option : extended_options()) names.emplace_back(option.name);
  for (const auto& option : own_extended_options()) names.emplace_back(option.name);
  for (const std::string_view name : rclone_option_names()) names.emplace_back(name);
  return names;
}

}  // namespace restree
