// Snapshot files that were removed from a repository, kept on this machine so that they can be put
// back.
//
// A folder has a file for each run that has removed snapshots; its name is the time of the run, so
// that names sort as times do. Everything is sealed with the repository's key, as it lay there.
//
//   file     := "restree forgotten 1\n" snapshot*
//   snapshot := id:hex[64] " " length:decimal "\n" sealed:byte[length] "\n"
//
// Threads: one at a time for a folder. Processes may share it: files appear and go as a whole.
// Errors:  kCorrupt: a file is not of that form. Others: those of the local disk.
#pragma once

#include <string>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/text/timestamp.h"

namespace restree {

struct ForgottenSnapshot {
  SnapshotId id;
  Bytes sealed;  // the content of its file; its SHA-256 is the id
};

struct ForgottenRun {
  std::string name;  // of its file
  std::vector<ForgottenSnapshot> snapshots;
};

// The name of a run's file: "20261130T120304.000000005Z".
std::string forgotten_run_name(Timestamp time);

// Writes a run's file, or removes it if the run has no snapshots left. The folder is made where it is
// missing, readable by its owner only.
Status write_forgotten_run(const std::string& folder, const ForgottenRun& run);

// The names of the runs there are, the oldest first; none if the folder is not there.
Result<std::vector<std::string>> list_forgotten_runs(const std::string& folder);

// A snapshot whose hash is not its id is kCorrupt.
Result<ForgottenRun> read_forgotten_run(const std::string& folder, const std::string& name);

// Removes the files of runs before `time`. Returns how many.
Result<std::size_t> drop_forgotten_before(const std::string& folder, Timestamp time);

}  // namespace restree
