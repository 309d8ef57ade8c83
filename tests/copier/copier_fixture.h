// A source with a pack for each blob, a destination, and the events of a copy as words.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/copier/copier.h"
#include "repo/format/tree.h"
#include "repo/repository_creation.h"
#include "tests/support/memory_repository.h"

namespace restree::testing {

// The events that tests look at, as words.
class Events final : public CopyListener {
 public:
  void same_key(std::size_t snapshots) override { same_key_snapshots = snapshots; }
  void skipped(const Snapshot& source, const SnapshotId&) override { add("skip", source.id); }
  void begun(const Snapshot& source) override { add("begin", source.id); }
  void planned(const CopyFigures& lacking) override {
    figures = lacking;
    packs_copied = 0;
  }
  void pack_copied() override { ++*counted_.lock(); }
  void copied() override { packs_copied = std::exchange(*counted_.lock(), 0); }
  void left_out(const Snapshot& source, const Error& why) override {
    add("leave out", source.id);
    whys.push_back(why.message());
  }
  void saving(std::size_t count) override { batches.push_back(count); }
  void saved(const SnapshotId& source, const SnapshotId&) override { add("save", source); }

  void forget() {
    words.clear();
    whys.clear();
    batches.clear();
    figures = {};
    same_key_snapshots = 0;
  }

  std::vector<std::string> words;
  std::vector<std::string> whys;
  std::vector<std::size_t> batches;
  CopyFigures figures;
  std::uint64_t packs_copied = 0;
  std::size_t same_key_snapshots = 0;

 private:
  void add(const std::string& what, const SnapshotId& id) {
    words.push_back(what + " " + id.short_hex());
  }
  Guarded<std::uint64_t> counted_;
};

// The destination has a master key of its own.
class CopierTest : public ::testing::Test {
 protected:
  CopierTest() { make_destination({.version = 2}); }

  void make_destination(NewRepository wanted) {
    destination_ = std::make_shared<WatchedStorage>(std::make_shared<MemoryStorage>());
    wanted.scrypt = ScryptParameters{.n = 16, .r = 8, .p = 1};
    value_of(create_repository(*destination_, password(), wanted, soon()));
  }
  static Secret password() { return Secret(std::string("of the destination")); }
  RepositoryBuilder& source() { return source_.builder(); }
  std::string snapshot(const BlobId& tree, const std::string& time) {
    return source().add_snapshot(tree, {.time = time});
  }
  // A tree /folder/file with this content.
  BlobId tree_of(const std::string& content) {
    const BlobId data = source().add_data(content);
    const BlobId folder = source().add_tree({file_node("file", {data, data}, 2 * content.size())});
    return source().add_tree({folder_node("folder", folder)});
  }

  static std::vector<Snapshot> snapshots_of(Repository& repository) {
    std::vector<Snapshot> all;
    for (const SnapshotId& id : value_of(repository.list_snapshots(soon()))) {
      all.push_back(value_of(repository.load_snapshot(id, soon())));
    }
    return all;
  }
  std::unique_ptr<Repository> open_destination() {
    auto repository = value_of(Repository::open(destination_, password(), "", soon()));
    value_of(repository->refresh_index(soon()));
    return repository;
  }
  // Everything of the source, with listeners and repositories of its own, as by a new process.
  Result<std::size_t> copy() {
    const auto from = source_.open();
    const auto into = open_destination();
    events_.forget();
    Copier copier(*from, *into, {.writer = {.pack_bytes = 1 << 20}, .stop = stop_.get_token()},
                  events_);
    return copier.copy(snapshots_of(*from), snapshots_of(*into));
  }
  // What lies below the tree, as text; "missing" where the repository lacks it.
  static std::string content_below(Repository& repository, const BlobId& tree) {
    const auto json = repository.load(BlobType::kTree, tree, soon());
    if (!json) return "missing";
    const auto parsed = value_of(Tree::parse((*json)->view()));
    std::string text = "(";
    for (const Node& node : parsed->nodes()) {
      text += std::string(node.name) + ":";
      for (const BlobId& id : node.content) {
        const auto data = repository.load(BlobType::kData, id, soon());
        text += data ? std::string(as_text((*data)->view())) : "missing";
      }
      if (node.subtree) text += content_below(repository, *node.subtree);
    }
    return text + ")";
  }
  // The same of each snapshot there, the oldest first.
  std::vector<std::string> contents() {
    const auto repository = open_destination();
    std::map<Timestamp, std::string> by_time;
    for (const Snapshot& one : snapshots_of(*repository)) {
      by_time[one.time] += content_below(*repository, one.tree);
    }
    std::vector<std::string> all;
    for (const auto& [time, text] : by_time) all.push_back(text);
    return all;
  }
  // How often each pack of the source is read from now on.
  std::shared_ptr<Guarded<std::map<std::string, int>>> count_reads() {
    const auto counts = std::make_shared<Guarded<std::map<std::string, int>>>();
    source_.storage().watch([counts](const FileName& file) -> Status {
      if (file.type == FileType::kPack && !file.name.empty()) ++(*counts->lock())[file.name];
      return {};
    });
    return counts;
  }

  MemoryRepository source_;
  std::shared_ptr<WatchedStorage> destination_;
  std::stop_source stop_;
  Events events_;
};

}  // namespace restree::testing
