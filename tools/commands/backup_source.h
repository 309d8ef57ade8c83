// Where a backup's data comes from: targets, standard input, or a command's output.
//
// Errors: kInvalid: the options contradict each other, or name nothing.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "repo/archiver/selection.h"
#include "repo/archiver/stream_archiver.h"
#include "tools/commands/backup_options.h"
#include "tools/session/session.h"

namespace restree {

// kInvalid: options that exclude each other.
Status check_sources(const BackupOptions& options);

// The existing targets, from the command line and from files. For each missing target a message is
// printed and `is_incomplete` set. An Error: none exists, or none was named.
Result<std::vector<std::string>> find_targets(const BackupOptions& options, Session& session,
                                              bool& is_incomplete);

Result<Selection> make_selection(const BackupOptions& options,
                                 const std::vector<std::string>& paths, Session& session);

// Whether --stdin or --stdin-from-command is given.
bool is_stream(const BackupOptions& options);
// Whether standard input holds content or a list of files.
bool reads_input(const BackupOptions& options);
Result<std::vector<std::string>> stream_paths(const BackupOptions& options);
// kLocalIo: also if the command fails, since half a dump must not pass for a backup.
Result<ArchiveResult> archive_from_stream(const BackupOptions& options, const ArchiveParts& parts,
                                          const ArchiveOptions& how, Timestamp time,
                                          const std::stop_token& stop);

}  // namespace restree
