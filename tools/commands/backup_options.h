// The options of `restree backup`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/cli/command_syntax.h"

namespace restree {

struct BackupOptions {
  std::vector<std::string> targets;
  std::vector<std::string> files_from;
  std::vector<std::string> files_from_verbatim;
  std::vector<std::string> files_from_raw;

  std::vector<std::string> exclude;
  std::vector<std::string> iexclude;
  std::vector<std::string> exclude_file;
  std::vector<std::string> iexclude_file;
  std::vector<std::string> exclude_if_present;
  bool exclude_caches = false;
  std::string exclude_larger_than;
  bool one_file_system = false;

  std::vector<std::string> tags;
  std::string host;
  std::string time;
  std::string parent;
  std::string group_by = "host,paths";
  bool force = false;
  bool ignore_ctime = false;
  bool ignore_inode = false;
  bool with_atime = false;
  bool verify_parent = false;

  bool no_scan = false;
  bool dry_run = false;
  bool skip_if_unchanged = false;
  std::uint64_t read_concurrency = 0;  // 0: RESTIC_READ_CONCURRENCY, or 2

  bool from_stdin = false;
  bool stdin_from_command = false;
  std::string stdin_filename = "stdin";
};

// `options` must outlive the parsing.
void add_backup_options(CommandSyntax& app, BackupOptions& options);

}  // namespace restree
