// restree recover
#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/restic_words.h"
#include "repo/identity.h"
#include "repo/repairer/unreferenced_trees.h"
#include "repo/rewriter/recovered_tree.h"
#include "repo/rewriter/tree_rewriter.h"
#include "repo/snapshots/snapshot_selection.h"
#include "tools/commands/commands.h"
#include "tools/commands/counted_progress.h"
#include "tools/commands/index_repairing.h"
#include "tools/commands/rewrite_report.h"
#include "tools/commands/writer_options.h"

namespace restree {
namespace {

// The trees of the snapshots. Those that cannot be read hold nothing in use.
Result<std::vector<BlobId>> trees_in_use(Session& session, Repository& repository) {
  ASSIGN_OR_RETURN(const AllSnapshots all, load_all_snapshots(repository, session.patience()));
  for (const UnreadableSnapshot& one : all.unreadable) {
    session.output().warn(fmt::format("{}; what it holds is recovered", one.error.message()));
  }
  std::vector<BlobId> trees;
  for (const Snapshot& snapshot : all.readable) trees.push_back(snapshot.tree);
  return trees;
}

Result<std::vector<BlobId>> find_roots(Session& session, Repository& repository) {
  const Output& output = session.output();
  output.say_even_as_json("load index files");
  ASSIGN_OR_RETURN(const std::vector<BlobId> in_use, trees_in_use(session, repository));
  CountedProgress progress(output, "trees loaded");
  TreeSearchOptions search;
  search.bulk.patience = std::chrono::ceil<std::chrono::seconds>(session.options().patience);
  search.bulk.stop = session.stop();
  search.on_begin = [&](std::size_t trees) {
    output.say_even_as_json(fmt::format("load {} trees", trees));
    progress.begin(trees);
  };
  search.on_read = [&] { progress.count(); };
  search.on_unreadable = [&](const BlobId& tree, const Error& why) {
    output.warn(fmt::format("unable to load tree {}: {}", tree.short_hex(), why.message()));
  };
  Result<std::vector<BlobId>> roots = find_unreferenced_trees(repository, in_use, search);
  if (!roots) return roots;
  output.say_even_as_json(progress.end());
  output.say_even_as_json("load snapshots");
  output.say_even_as_json("done");
  if (output.has_details()) {
    for (const BlobId& root : *roots) {
      output.say_even_as_json("found root tree " + root.short_hex());
    }
  }
  return roots;
}

// Leaves out what the repository lacks of them, so that the new snapshot is whole. A root that cannot
// be read is left out.
Result<std::vector<RecoveredTree>> make_whole(Session& session, Repository& repository,
                                              RepositoryWriter& writer,
                                              const std::vector<BlobId>& roots) {
  TreesAhead trees(repository, session.trees_ahead());
  const RepairRules rules(
      [&](const BlobId& id) { return repository.blob_size(BlobType::kData, id); });
  const auto save = [&](std::string_view json) -> Result<BlobId> {
    ASSIGN_OR_RETURN(const SavedBlob saved, writer.save(BlobType::kTree, as_bytes(json)));
    return saved.id;
  };
  std::string folder;
  const auto say = [&](NodeRemark remark, const std::string& path, const std::string& type) {
    session.output().say_even_as_json(remark_line(remark, folder + path, type));
  };
  TreeRewriter rewriter(trees, rules, save, say);
  std::vector<RecoveredTree> whole;
  for (const BlobId& root : roots) {
    folder = "/" + root.short_hex();
    ASSIGN_OR_RETURN(const RewrittenTree tree, rewriter.rewrite(root));
    if (tree.id) whole.push_back({.found = root, .tree = *tree.id});
  }
  return whole;
}

Snapshot snapshot_of(const BlobId& tree, const ZonedTimestamp& now) {
  Snapshot snapshot;
  snapshot.time = now.time;
  snapshot.time_offset_seconds = now.offset_seconds;
  snapshot.tree = tree;
  snapshot.paths = {"/recover"};
  snapshot.hostname = host_name();
  snapshot.username = user_name();
  snapshot.uid = ::getuid();
  snapshot.gid = ::getgid();
  snapshot.tags = {"recovered"};
  return snapshot;
}

Result<SnapshotId> save(Session& session, Repository& repository,
                        const std::vector<BlobId>& roots) {
  RepositoryWriter writer(repository, writer_options(session, {}), session.stop());
  ASSIGN_OR_RETURN(const std::vector<RecoveredTree> trees,
                   make_whole(session, repository, writer, roots));
  const ZonedTimestamp now = in_zone(wall_clock_now(), TimeZone::local());
  ASSIGN_OR_RETURN(const std::string json, write_recovered_tree(trees, now.time));
  ASSIGN_OR_RETURN(const SavedBlob tree, writer.save(BlobType::kTree, as_bytes(json)));
  RETURN_IF_ERROR(writer.flush());
  return repository.save_snapshot(snapshot_of(tree.id, now), session.patience());
}

Result<ExitCode> run_recover(Session& session) {
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kExclusiveToWrite));
  const Output& output = session.output();
  output.say_even_as_json("ensuring index is complete");
  RETURN_IF_ERROR(repair_index_of(session, *repository, false, session.output()));
  ASSIGN_OR_RETURN(const std::vector<BlobId> roots, find_roots(session, *repository));
  // Both also if quiet, as by restic.
  output.io().out_line("");
  output.io().out_line(fmt::format(restic_words::kRootsFound.text, roots.size()));
  if (roots.empty()) {
    output.say_even_as_json(restic_words::kNoSnapshotToWrite.text);
    return ExitCode::kSuccess;
  }
  RETURN_IF_ERROR(session.go_on());
  ASSIGN_OR_RETURN(const SnapshotId saved, save(session, *repository, roots));
  output.io().out_line(fmt::format(restic_words::kSnapshotSaved.text, saved.short_hex()));
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_recover(CommandSyntax& /*app*/) {
  return [](Session& session) { return run_recover(session); };
}

}  // namespace restree
