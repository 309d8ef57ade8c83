#include "repo/rewriter/snapshot_rewriter.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

namespace restree {
namespace {

using Kind = SnapshotFate::Kind;

// Each time costs a pack that is not full and an index file; waiting costs what a run that is cut
// short has looked at and not saved.
constexpr std::chrono::minutes kBatchTime{5};

RepositoryWriter::Options writer_options(const RewriteOptions& options) {
  RepositoryWriter::Options writer = options.writer;
  writer.dry_run = options.dry_run;
  return writer;
}

Error about(const Snapshot& snapshot, Error error) {
  if (error.kind() == ErrorKind::kCancelled) return error;
  return std::move(error).with(
      fmt::format("unable to rewrite snapshot ID \"{}\"", snapshot.id.short_hex()));
}

}  // namespace

SnapshotRewriter::SnapshotRewriter(Repository& repository, const TreeRules* rules,
                                   const RewriteOptions& options, RewriteListener& listener)
    : repository_(repository),
      options_(options),
      listener_(listener),
      writer_(repository, writer_options(options), options.stop),
      trees_(repository, {.patience = options.patience, .stop = options.stop}) {
  if (rules == nullptr) return;
  const auto save = [this](std::string_view json) -> Result<BlobId> {
    ASSIGN_OR_RETURN(const SavedBlob saved, writer_.save(BlobType::kTree, as_bytes(json)));
    return saved.id;
  };
  const auto note = [this](NodeRemark remark, const std::string& path, const std::string& type) {
    remarks_.push_back({remark, path, type});
  };
  rewriter_ = std::make_unique<TreeRewriter>(trees_, *rules, save, note, options.repeated);
}

SnapshotRewriter::~SnapshotRewriter() = default;

Result<std::size_t> SnapshotRewriter::rewrite(const std::vector<Snapshot>& snapshots) {
  const Status done = rewrite_all(snapshots);
  if (done) return changed_;
  // Indexes the packs stored so far, so that the next run need not store them again.
  const Status kept = options_.dry_run ? Status() : writer_.finish_early();
  Error error = done.error();
  if (!kept) return std::move(error).with("not all that was stored is indexed");
  return error;
}

Status SnapshotRewriter::rewrite_all(const std::vector<Snapshot>& snapshots) {
  listener_.beginning(snapshots.size());
  for (const Snapshot& snapshot : snapshots) {
    const Status decided = decide(snapshot);
    if (!decided) {
      RETURN_IF_ERROR(finish_batch());
      listener_.begun(snapshot);
      return about(snapshot, decided.error());
    }
    listener_.looked_at();
    if (Deadline::Clock::now() - batch_begun_ >= kBatchTime) RETURN_IF_ERROR(finish_batch());
  }
  return finish_batch();
}

Status SnapshotRewriter::decide(const Snapshot& snapshot) {
  RETURN_IF_ERROR(trees_.go_on());
  remarks_.clear();
  std::optional<RewrittenTree> tree;
  if (rewriter_) {
    ASSIGN_OR_RETURN(tree, rewriter_->rewrite(snapshot.tree));
  }
  batch_.push_back({snapshot, std::exchange(remarks_, {}), fate_of(snapshot, tree, options_.edit)});
  return {};
}

Status SnapshotRewriter::finish_batch() {
  RETURN_IF_ERROR(writer_.flush());
  const std::vector<Decided> batch = std::exchange(batch_, {});
  for (const Decided& decided : batch) {
    tell(decided);
    if (options_.dry_run) continue;
    RETURN_IF_ERROR(trees_.go_on());
    const Status finished = finish(decided);
    if (!finished) return about(decided.snapshot, finished.error());
  }
  batch_begun_ = Deadline::Clock::now();
  return {};
}

void SnapshotRewriter::tell(const Decided& decided) {
  listener_.begun(decided.snapshot);
  for (const Remark& remark : decided.remarks) {
    listener_.remark(remark.remark, remark.path, remark.type);
  }
  listener_.ended(decided.snapshot, decided.fate);
  if (decided.fate.kind != Kind::kStays) ++changed_;
}

Status SnapshotRewriter::finish(const Decided& decided) {
  if (decided.fate.kind == Kind::kStays) return {};
  if (decided.fate.kind == Kind::kBecomes) {
    ASSIGN_OR_RETURN(
        const SnapshotId successor,
        repository_.save_snapshot(decided.fate.successor, Deadline::after(options_.patience)));
    listener_.saved(successor);
    if (!options_.forget) return {};
  }
  Status removed = repository_.storage().remove({FileType::kSnapshot, decided.snapshot.id.hex()},
                                                Deadline::after(options_.patience));
  // Others have removed it meanwhile.
  if (!removed && removed.error().kind() == ErrorKind::kNotFound) removed = {};
  RETURN_IF_ERROR(removed);
  listener_.removed(decided.snapshot, decided.fate);
  return {};
}

}  // namespace restree
