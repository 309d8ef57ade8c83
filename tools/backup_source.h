// Where a backup's data comes from: targets, standard input, or a command's output.
//
// Errors: kInvalid: the options contradict each other, or name nothing.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "repo/archiver/selection.h"
#include "repo/archiver/stream_archiver.h"
#include "tools/backup_options.h"
#include "tools/session.h"

namespace restree {

// The options go together.
Status check_sources(const BackupOptions& options);

// Those that exist, from the command line and from files. Messages name the others, and
// `is_incomplete` says that there are some. kInvalid: there is none at all.
Result<std::vector<std::string>> find_targets(const BackupOptions& options, Session& session,
                                              bool& is_incomplete);

Result<Selection> make_selection(const BackupOptions& options,
                                 const std::vector<std::string>& paths, Session& session);

// --stdin and --stdin-from-command.
bool is_stream(const BackupOptions& options);
Result<std::vector<std::string>> stream_paths(const BackupOptions& options);
// A command that fails is kInvalid: half a dump must not pass for a backup.
Result<ArchiveResult> archive_from_stream(const BackupOptions& options, const ArchiveParts& parts,
                                          const ArchiveOptions& how, Timestamp time,
                                          const std::stop_token& stop);

}  // namespace restree
