#include "tools/commands/backup_options.h"

#include "tools/cli/option_words.h"
#include "tools/commands/snapshot_options.h"

namespace restree {
namespace {

void add_target_options(CommandSyntax& app, BackupOptions& options) {
  add_arguments(app, "target", options.targets, "The files and folders to back up", TextIs::kFile);
  add_list(app, "--files-from", options.files_from,
           "A file with targets, one a line, as shell patterns; - is standard input",
           TextIs::kFile);
  add_list(app, "--files-from-verbatim", options.files_from_verbatim,
           "The same, each line taken as it is", TextIs::kFile);
  add_list(app, "--files-from-raw", options.files_from_raw,
           "The same, each name ended by a NUL byte", TextIs::kFile);
  add_flag(app, "--stdin", options.from_stdin, "Back up what comes from standard input");
  add_text(app, "--stdin-filename", options.stdin_filename,
           "What to call it in the snapshot (default: stdin)");
  add_flag(app, "--stdin-from-command", options.stdin_from_command,
           "Run the targets as a command and back up what it prints");
}

void add_exclude_options(CommandSyntax& app, BackupOptions& options) {
  add_list(app, "-e,--exclude", options.exclude, "Leave out what matches this pattern");
  add_list(app, "--iexclude", options.iexclude, "The same in upper or lower case");
  add_list(app, "--exclude-file", options.exclude_file, "A file with such patterns", TextIs::kFile);
  add_list(app, "--iexclude-file", options.iexclude_file, "The same in upper or lower case",
           TextIs::kFile);
  add_list(app, "--exclude-if-present", options.exclude_if_present,
           "Leave out the content of folders that hold this file, FILE or FILE:HEADER");
  add_flag(app, "--exclude-caches", options.exclude_caches,
           "Leave out the content of folders that a CACHEDIR.TAG marks as caches");
  add_text(app, "--exclude-larger-than", options.exclude_larger_than,
           "Leave out files larger than this, like 500m or 2G");
  add_flag(app, "-x,--one-file-system", options.one_file_system,
           "Leave out other file systems that are mounted below a target");
}

void add_new_snapshot_options(CommandSyntax& app, BackupOptions& options) {
  add_list(app, "--tag", options.tags, "A tag for the snapshot, or several, separated by commas");
  add_text(app, "-H,--host", options.host,
           "The host that the snapshot is of (default: $RESTIC_HOST, or this one)");
  add_deprecated_text(app, "--hostname", options.host, "use --host");
  add_text(app, "--time", options.time, "The snapshot's time, like '2026-09-01 03:00:00'");
  add_text(app, "--parent", options.parent,
           "The snapshot to compare with (default: the latest of the same group)");
  add_group_by_option(app, options.group_by,
                      "What makes a group: host, paths, tags (default: host,paths)");
  add_flag(app, "-f,--force", options.force, "Compare with no snapshot: read every file");
  add_flag(app, "--ignore-ctime", options.ignore_ctime,
           "A file with another ctime alone has not changed");
  add_flag(app, "--ignore-inode", options.ignore_inode,
           "A file with another inode number and ctime alone has not changed");
  add_flag(app, "--with-atime", options.with_atime, "Record when files were last read");
  add_flag(app, "--verify-parent", options.verify_parent,
           "On a server, too, look whether what unchanged files are made of is still there");
  add_flag(app, "--skip-if-unchanged", options.skip_if_unchanged,
           "Make no snapshot if it would equal the one compared with");
}

void add_work_options(CommandSyntax& app, BackupOptions& options) {
  add_flag(app, "-n,--dry-run", options.dry_run, "Only show what would be done");
  add_flag(app, "--no-scan", options.no_scan, "Do not count beforehand what there is to do");
  add_number(app, "--read-concurrency", options.read_concurrency,
             "How many files to read at once (default: $RESTIC_READ_CONCURRENCY, or 2)");
  refuse_option(app, "--use-fs-snapshot", Takes::kNothing, "It is for Windows.");
  refuse_option(app, "--exclude-cloud-files", Takes::kNothing, "It is for Windows.");
}

}  // namespace

void add_backup_options(CommandSyntax& app, BackupOptions& options) {
  add_target_options(app, options);
  add_exclude_options(app, options);
  add_new_snapshot_options(app, options);
  add_work_options(app, options);
}

}  // namespace restree
