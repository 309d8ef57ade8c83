// A repository in memory, of several packs with several blobs each, that tests prune and look at.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "repo/checker/checker.h"
#include "repo/pruner/prune_rounds.h"
#include "repo/pruner/pruner.h"
#include "repo/pruner/pruning_in_rounds.h"
#include "repo/storage/memory_storage.h"
#include "repo/writer/repository_writer.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"

namespace restree::testing {

// Remembers what was said, and says nothing.
class QuietPrune final : public PruneListener {
 public:
  void begin(PruneStep step, std::uint64_t total) override { begun.emplace(step, total); }
  void end(PruneStep step) override { ended.insert(step); }
  void not_removed(const std::string& file, const Error&) override { left.push_back(file); }

  std::map<PruneStep, std::uint64_t> begun;
  std::set<PruneStep> ended;
  std::vector<std::string> left;
};

class KeptFindings final : public CheckListener {
 public:
  void error(const std::string& text) override { errors += text + "\n"; }
  void hint(const std::string&) override {}
  void detail(const std::string&) override {}
  std::string errors;
};

inline std::vector<FileType> changing_types() {
  return {FileType::kSnapshot, FileType::kIndex, FileType::kPack};
}

// Every file of a storage but the locks, with its content.
inline std::map<FileName, std::string> all_files(Storage& storage) {
  std::map<FileName, std::string> files;
  std::vector<FileName> names{{FileType::kConfig, ""}};
  for (const FileType type :
       {FileType::kKey, FileType::kSnapshot, FileType::kIndex, FileType::kPack}) {
    for (const ListedFile& file : value_of(storage.list(type, soon()))) {
      names.push_back({type, file.name});
    }
  }
  for (const FileName& name : names) {
    files[name] = std::string(as_text(value_of(storage.read_all(name, soon()))));
  }
  return files;
}

inline std::unique_ptr<Repository> open_at(const std::shared_ptr<Storage>& storage) {
  return value_of(Repository::open(storage, Secret(std::string(kPassword)), "", soon()));
}

// What `check --read-data` finds; empty: nothing.
inline std::string damage_of(const std::shared_ptr<Storage>& storage) {
  const auto repository = open_at(storage);
  KeptFindings findings;
  Checker checker(*repository, findings, BulkOptions());
  EXPECT_OK(checker.load_index());
  EXPECT_OK(checker.check_packs());
  std::vector<BlobId> roots;
  for (const SnapshotId& id : value_of(repository->list_snapshots(soon()))) {
    roots.push_back(value_of(repository->load_snapshot(id, soon())).tree);
  }
  EXPECT_OK(checker.check_trees(roots, false));
  EXPECT_OK(checker.read_packs(checker.choose({})));
  return findings.errors;
}

class PrunedRepository : public ::testing::Test {
 protected:
  static constexpr std::size_t kBlobBytes = 5000;

  PrunedRepository() { options_.rules.max_unused = {.kind = UnusedLimit::Kind::kBytes}; }

  // A snapshot of one file with these blobs, which are random bytes by their numbers; those that the
  // repository has are not stored again. Returns the snapshot's file.
  FileName snapshot(const std::vector<unsigned>& blobs, const std::string& name = "f") {
    const auto repository = memory_.open();
    RepositoryWriter writer(*repository, {.pack_bytes = blobs_a_pack_ * kBlobBytes}, {});
    std::vector<BlobId> content;
    for (const unsigned number : blobs) {
      content.push_back(value_of(writer.save(BlobType::kData, as_bytes(bytes_of(number)))).id);
      ids_[number] = content.back();
    }
    const std::string tree =
        "{\"nodes\":[" + file_node(name, content, blobs.size() * kBlobBytes) + "]}\n";
    const BlobId root = value_of(writer.save(BlobType::kTree, as_bytes(tree))).id;
    EXPECT_OK(writer.flush());
    return add_snapshot(root);
  }
  FileName add_snapshot(const BlobId& root) {
    const std::string id = memory_.builder().add_snapshot(
        root, {.time = "2026-09-01T03:00:" + std::to_string(10 + snapshots_++) + "Z"});
    for (const ListedFile& file : files(FileType::kSnapshot)) {
      if (file.name.starts_with(id)) return {FileType::kSnapshot, file.name};
    }
    throw std::runtime_error("no snapshot " + id);
  }
  // Two snapshots of which the first is forgotten: pack (1 2) is not used any more, (3 4) in part.
  void fill() {
    forgotten_ = snapshot({1, 2, 3, 4, 5, 6});
    kept_ = snapshot({3, 5, 6}, "g");
    forget(forgotten_);
  }
  static std::string bytes_of(unsigned number) { return random_bytes(number, kBlobBytes); }

  // The steps before anything is changed.
  Status prepare(Pruner& pruner, const std::set<SnapshotId>& ignored = {}) {
    RETURN_IF_ERROR(pruner.load_snapshots(ignored));
    RETURN_IF_ERROR(pruner.load_index());
    RETURN_IF_ERROR(pruner.mark_used());
    return pruner.make_plan();
  }
  Status prune_at(const std::shared_ptr<Storage>& storage) {
    const auto repository = open_at(storage);
    Pruner pruner(*repository, options_);
    RETURN_IF_ERROR(prepare(pruner));
    return finish(pruner);
  }
  // The steps that change the repository.
  Status finish(Pruner& pruner) {
    if (is_in_rounds_) return finish_in_rounds(pruner);
    RETURN_IF_ERROR(pruner.copy(said_));
    if (is_beside_others_) RETURN_IF_ERROR(pruner.look_again());
    return pruner.remove(said_);
  }
  Status finish_in_rounds(Pruner& pruner) {
    const PruneLocking locking{.share = [this] { return share_(); },
                               .exclude = [this] { return exclude_(); }};
    ASSIGN_OR_RETURN(last_round_, prune_in_rounds(pruner, locking, said_,
                                                  [this](const PruneRound&) { ++rounds_; }));
    return {};
  }
  Status prune() { return prune_at(shared()); }

  std::vector<ListedFile> files(FileType type) {
    return value_of(memory_.storage().list(type, soon()));
  }
  std::shared_ptr<Storage> shared() {
    // Not owned: the repository in memory outlives what a test opens.
    return {std::shared_ptr<void>(), &memory_.storage()};
  }
  FileName pack_of(unsigned blob) {
    const auto place = memory_.open()->find_blob(BlobType::kData, ids_.at(blob));
    return {FileType::kPack, value_of(place).pack.hex()};
  }
  bool has(unsigned blob) {
    return memory_.open()->find_blob(BlobType::kData, ids_.at(blob)).has_value();
  }
  void forget(const FileName& snapshot) { memory_.remove(snapshot); }
  // The blobs of the index, used or not.
  std::size_t blob_count() { return memory_.open()->index_figures().blobs; }
  std::map<FileName, std::string> all() { return all_files(memory_.storage()); }

  MemoryRepository memory_{2};
  PruneOptions options_;
  QuietPrune said_;
  std::map<unsigned, BlobId> ids_;
  bool is_beside_others_ = false;  // until it looks again
  bool is_in_rounds_ = false;
  std::function<Status()> share_ = [] { return Status(); };
  std::function<Status()> exclude_ = [] { return Status(); };
  int rounds_ = 0;
  PruneRound last_round_;
  std::size_t blobs_a_pack_ = 2;
  int snapshots_ = 0;
  FileName forgotten_;
  FileName kept_;
};

}  // namespace restree::testing
