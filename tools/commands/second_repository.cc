#include "tools/commands/second_repository.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

#include "repo/repairer/unindexed_packs.h"
#include "repo/snapshots/snapshot_selection.h"
#include "tools/commands/writer_options.h"
#include "tools/output/human.h"

namespace restree {

namespace {

bool is_given(const SecondOptions& options) { return options.access.location.has_value(); }

Result<const RepositoryAccess*> find_repair_source(const RepairSource& options) {
  if (!is_given(options.second)) return find_source(options.source);
  if (!is_given(options.source)) return &options.second.access;
  return Error(ErrorKind::kInvalid, "two second repositories are named")
      .hinting("Leave out --second or --from-repo.");
}

}  // namespace

void add_repair_source(CommandSyntax& app, RepairSource& options) {
  add_source_options(app, options.source);
  add_second_options(app, options.second);
}

bool is_given(const RepairSource& options) {
  return is_given(options.source) || is_given(options.second);
}

Result<OtherRepository> open_second(const RepairSource& options, Session& session) {
  if (!is_given(options)) return OtherRepository();
  ASSIGN_OR_RETURN(const RepositoryAccess* const access, find_repair_source(options));
  ASSIGN_OR_RETURN(OtherRepository second, session.open_other(*access, Locking::kShared));
  RETURN_IF_ERROR(second.repository->refresh_index(session.patience()));
  return second;
}

Result<Retrieval> retrieve_missing(Repository& repository, Repository& second,
                                   std::vector<BlobId> roots, Session& session,
                                   const Output& output) {
  output.say_even_as_json("looking in the second repository for what is missing");
  ASSIGN_OR_RETURN(const AllSnapshots all, load_all_snapshots(repository, session.patience()));
  for (const Snapshot& snapshot : all.readable) roots.push_back(snapshot.tree);
  ASSIGN_OR_RETURN(PackDifferences packs, compare_packs(repository, session.patience()));
  RetrievalOptions how;
  how.writer = writer_options(session, std::move(packs.lost));
  how.bulk.patience = session.options().patience;
  how.bulk.stop = session.stop();
  ASSIGN_OR_RETURN(const Retrieval done, retrieve_blobs(repository, second, roots, how));
  RETURN_IF_ERROR(repository.refresh_index(session.patience()));
  output.say_even_as_json(
      done.retrieved == 0 && done.lost == 0
          ? "nothing is missing"
          : fmt::format("{} blobs ({}) were brought back, {} are in neither repository",
                        done.retrieved, format_bytes(done.bytes), done.lost));
  return done;
}

}  // namespace restree
