// The second repository of a repair, which may have what is missing in the first.
//
// Ownership: the session must outlive it. Threads: one.
#pragma once

#include <vector>

#include "repo/base/result.h"
#include "repo/repairer/blob_retrieval.h"
#include "repo/repository.h"
#include "tools/cli/command_syntax.h"
#include "tools/commands/second_options.h"
#include "tools/commands/source_options.h"
#include "tools/output/output.h"
#include "tools/session/session.h"

namespace restree {

// Repairs write what they read, so that only an option names it, in the words of `copy` or in those of
// commands that read.
struct RepairSource {
  SourceOptions source;  // --from-repo and the like
  SecondOptions second;  // --second and the like
};

// `options` must outlive the parsing.
void add_repair_source(CommandSyntax& app, RepairSource& options);

bool is_given(const RepairSource& options);

// Opened, with a shared lock, and its index loaded; without a repository if no option names one. The
// session's own repository must be open. kInvalid: it is named in both ways.
Result<OtherRepository> open_second(const RepairSource& options, Session& session);

// Brings back what the readable snapshots and the trees `roots` need and `repository` lacks, and says
// how much. Its index must be loaded, and is loaded anew afterwards.
Result<Retrieval> retrieve_missing(Repository& repository, Repository& second,
                                   std::vector<BlobId> roots, Session& session,
                                   const Output& output);

}  // namespace restree
