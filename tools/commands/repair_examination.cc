#include "tools/commands/repair_examination.h"

#include <set>
#include <string>

#include "repo/checker/checker.h"
#include "repo/checker/hit_trees.h"
#include "repo/snapshots/snapshot_selection.h"

namespace restree {
namespace {

// More are not asked for one by one.
constexpr std::size_t kMostAsked = 1'000'000;

class Notes final : public CheckListener {
 public:
  explicit Notes(const Output& output) : output_(output) {}
  void error(const std::string& text) override { output_.note(text); }
  void hint(const std::string& /*text*/) override {}
  void detail(const std::string& /*text*/) override {}

 private:
  const Output& output_;
};

class Examiner {
 public:
  Examiner(Session& session, Repository& repository, const Output& output)
      : session_(session),
        repository_(repository),
        notes_(output),
        bulk_{.patience = session.options().patience, .stop = session.stop(), .limits = {}},
        checker_(repository, notes_, bulk_) {}

  Result<Examination> run(const Repository* second, bool read_data);

 private:
  Status load_snapshots();
  Status sort_out_packs();
  Status find_losses();
  void ask(const Repository& second);

  Session& session_;
  Repository& repository_;
  Notes notes_;
  const BulkOptions bulk_;
  Checker checker_;
  std::vector<Snapshot> snapshots_;
  std::vector<BlobId> roots_;
  Examination found_;
};

Status Examiner::load_snapshots() {
  ASSIGN_OR_RETURN(AllSnapshots all, load_all_snapshots(repository_, session_.patience()));
  for (const UnreadableSnapshot& one : all.unreadable) {
    checker_.note_broken_snapshot(one.id, one.error);
    // One in a newer format is left to newer programs.
    if (one.error.kind() == ErrorKind::kCorrupt) found_.facts.unreadable_snapshots.insert(one.id);
  }
  snapshots_ = std::move(all.readable);
  for (const Snapshot& snapshot : snapshots_) roots_.push_back(snapshot.tree);
  return {};
}

// A pack whose file is what its name says is whole: then the index is wrong about it.
Status Examiner::sort_out_packs() {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> listed,
                   repository_.list_files(FileType::kPack, session_.patience()));
  std::set<std::string> stored;
  for (const ListedFile& file : listed) stored.insert(file.name);
  std::set<PackId> suspects = checker_.findings().broken_packs;
  for (const DamagedPack& pack : checker_.damage().packs()) suspects.insert(pack.id);
  for (const PackId& id : suspects) {
    RETURN_IF_ERROR(session_.go_on());
    if (!stored.contains(id.hex())) continue;
    const auto whole = repository_.load_sealed({FileType::kPack, id.hex()}, session_.patience());
    if (!whole && is_hopeless(whole.error().kind())) return whole.error();
    (whole ? found_.facts.misindexed_packs : found_.facts.damaged_packs).insert(id);
  }
  return {};
}

Status Examiner::find_losses() {
  HitTrees trees(repository_, checker_.damage(), bulk_);
  RETURN_IF_ERROR(trees.walk(roots_));
  ASSIGN_OR_RETURN(found_.hits, find_hits(snapshots_, trees));
  const Damage& damage = checker_.damage();
  if (!found_.hits.empty()) found_.facts.lost_blobs = damage.lost_count() + damage.unknown().size();
  return {};
}

void Examiner::ask(const Repository& second) {
  found_.facts.has_second = true;
  for (const LostBlob& blob : checker_.damage().lost(kMostAsked)) {
    if (second.find_blob(blob.type, blob.id)) ++found_.in_second;
  }
  for (const auto& [type, id] : checker_.damage().unknown()) {
    if (second.find_blob(type, id)) ++found_.in_second;
  }
}

Result<Examination> Examiner::run(const Repository* second, bool read_data) {
  RETURN_IF_ERROR(checker_.load_index());
  RETURN_IF_ERROR(checker_.check_packs());
  RETURN_IF_ERROR(load_snapshots());
  RETURN_IF_ERROR(checker_.check_trees(roots_, false));
  if (read_data) RETURN_IF_ERROR(checker_.read_packs(checker_.choose(PackSubset())));
  RETURN_IF_ERROR(session_.go_on());
  found_.has_read_data = read_data;
  const CheckFindings& findings = checker_.findings();
  found_.is_whole = !findings.damaged;
  if (found_.is_whole) return std::move(found_);
  found_.facts.damaged_index_files = findings.damaged_index_files;
  found_.facts.missing_packs = findings.missing_packs;
  found_.facts.unindexed_packs = findings.unindexed_packs;
  RETURN_IF_ERROR(sort_out_packs());
  RETURN_IF_ERROR(find_losses());
  if (second != nullptr) ask(*second);
  return std::move(found_);
}

}  // namespace

Result<Examination> examine(Session& session, Repository& repository, const Repository* second,
                            bool read_data, const Output& output) {
  return Examiner(session, repository, output).run(second, read_data);
}

}  // namespace restree
