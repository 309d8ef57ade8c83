// The options that every command takes, before or after its name, and their environment variables.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "program/access.h"
#include "program/cache_settings.h"
#include "program/ssh_settings.h"
#include "repo/base/result.h"
#include "tools/cli/command_syntax.h"

namespace restree {

struct GlobalOptions {
  RepositoryAccess access;
  bool insecure_no_password = false;

  bool no_lock = false;
  std::string as_of;  // empty: as it is now
  std::chrono::nanoseconds retry_lock{0};

  bool json = false;
  // 0: errors only (-q), 1: the default, 2: -v, 3: -vv.
  int verbosity = 1;

  CacheSettings cache;
  bool cleanup_cache = false;

  std::string compression = "auto";   // auto, off, fastest, better, max
  std::uint64_t pack_size_bytes = 0;  // 0: the default
  std::uint64_t upload_limit = 0;     // bytes a second; 0: no limit
  std::uint64_t download_limit = 0;

  SshSettings ssh;
  std::vector<std::string> rclone;  // the extended options rclone.*, as they were given
  // How long one request to the storage may take, retries included.
  std::chrono::seconds patience = std::chrono::minutes(15);

  // Values as given on the command line; settle() sets the members above from them.
  bool quiet = false;
  std::int64_t verbose = 0;
  std::vector<std::string> extended;
  bool no_extra_verify = false;  // changes nothing
  std::uint64_t pack_size_mib = 0;
  std::int64_t upload_limit_kib = 0;
  std::int64_t download_limit_kib = 0;
  std::chrono::nanoseconds stuck_request_timeout{0};
};

// `options` must outlive the parsing.
void add_global_options(CommandSyntax& app, GlobalOptions& options);

// Adds values from the environment, and checks the options together. kInvalid: a bad value, or
// options that exclude each other.
Status settle(GlobalOptions& options);

// The words after -o, one option each.
std::vector<std::string> extended_words(const GlobalOptions& options);

// The names of the options that -o takes.
std::vector<std::string> extended_option_names();

}  // namespace restree
