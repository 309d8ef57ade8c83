#include "cache/snapshot_warmer.h"

#include <fmt/core.h>

#include <utility>

#include "repo/tree_loading.h"

namespace restree {
namespace {

std::string below(const std::string& folder, std::string_view name) {
  return folder + "/" + std::string(name);
}

}  // namespace

Status SnapshotWarmer::run(const Snapshot& snapshot, Pin pin) {
  const std::uint64_t dropped_before = cache_.figures().dropped;
  RETURN_IF_ERROR(load_trees(snapshot.tree));
  const std::unordered_set<BlobId> data = std::move(found_.lock()->data);
  for (const BlobId& id : data) count(BlobType::kData, id);
  RETURN_IF_ERROR(check_room());
  // Pin before the data is loaded, so that its own packs do not push each other out.
  if (pin == Pin::kYes) RETURN_IF_ERROR(cache_.pin(snapshot.id, packs_));
  RETURN_IF_ERROR(load_data(data));
  if (!found_.lock()->bad.empty()) RETURN_IF_ERROR(name_damaged(snapshot.tree));
  cache_.flush();
  return check_kept(dropped_before);
}

// Loads one level of folders at a time, since all trees of a level are known at once.
Status SnapshotWarmer::load_trees(const BlobId& root) {
  {
    auto found = found_.lock();
    found->trees.insert(root);
    found->folders.push_back({root, ""});
  }
  for (;;) {
    const std::vector<Folder> level = std::exchange(found_.lock()->folders, {});
    if (level.empty()) return {};
    BulkLoader loader(repository_, BlobType::kTree, options_);
    for (std::uint32_t i = 0; i < level.size(); ++i) {
      count(BlobType::kTree, level[i].tree);
      loader.want(level[i].tree, i);
    }
    RETURN_IF_ERROR(
        loader.run([&](std::span<const BlobUse> uses, const Result<ByteView>& blob) -> Status {
          const Folder& folder = level[uses.front().tag];
          ++figures_.blobs_done;
          figures_.bytes_done += uses.front().length;
          if (!blob) {
            tell(folder.path.empty() ? "/" : folder.path, blob.error());
            return {};
          }
          const auto tree = Tree::parse(*blob);
          if (tree) {
            take_in(folder, **tree);
          } else {
            tell(folder.path.empty() ? "/" : folder.path, tree.error());
          }
          return {};
        }));
  }
}

void SnapshotWarmer::take_in(const Folder& folder, const Tree& tree) {
  auto found = found_.lock();
  const std::optional<BlobId>& stand_in = tree.stand_in();
  if (stand_in && found->trees.insert(*stand_in).second) {
    found->folders.push_back({*stand_in, folder.path});
  }
  for (const Node& node : tree.nodes()) {
    for (const BlobId& id : node.content) found->data.insert(id);
    if (!node.subtree || !found->trees.insert(*node.subtree).second) continue;
    found->folders.push_back({*node.subtree, below(folder.path, node.name)});
  }
}

void SnapshotWarmer::count(BlobType type, const BlobId& id) {
  ++figures_.blobs_total;
  const auto place = repository_.find_blob(type, id);
  if (!place) return;
  figures_.bytes_total += place->length;
  packs_[cache_path(SealedPlace{.pack = place->pack, .type = type, .range = {}})] += place->length;
}

Status SnapshotWarmer::check_room() const {
  const std::uint64_t needed = figures_.bytes_total;
  const std::uint64_t limit = cache_.limits().size_bytes;
  if (needed <= limit) return {};
  return Error(ErrorKind::kInvalid,
               fmt::format("the snapshot takes {} MiB, and the cache may take {} MiB",
                           (needed >> 20) + 1, limit >> 20))
      .hinting("Allow it more with cache_size.");
}

Status SnapshotWarmer::load_data(const std::unordered_set<BlobId>& data) {
  BulkLoader loader(repository_, BlobType::kData, options_);
  for (const BlobId& id : data) loader.want(id, 0);
  return loader.run([&](std::span<const BlobUse> uses, const Result<ByteView>& blob) -> Status {
    ++figures_.blobs_done;
    figures_.bytes_done += uses.front().length;
    if (!blob) found_.lock()->bad.emplace(*uses.front().id, blob.error());
    return {};
  });
}

// Walks the trees once more to find the paths of the files whose data is damaged. The trees are in
// the cache now, so this is cheaper than remembering the path of every blob.
Status SnapshotWarmer::name_damaged(const BlobId& root) {
  const std::unordered_map<BlobId, Error> bad = std::move(found_.lock()->bad);
  std::vector<Folder> left = {{root, ""}};
  std::unordered_set<BlobId> seen = {root};  // a tree found in several places is visited once
  while (!left.empty()) {
    if (options_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "stopped");
    const Folder folder = std::move(left.back());
    left.pop_back();
    const auto tree = load_tree(repository_, folder.tree, Deadline::after(options_.patience));
    if (!tree) continue;  // was reported when trees were loaded
    for (const Node& node : (*tree)->nodes()) {
      if (node.subtree && seen.insert(*node.subtree).second) {
        left.push_back({*node.subtree, below(folder.path, node.name)});
      }
      for (const BlobId& id : node.content) {
        if (const auto found = bad.find(id); found != bad.end()) {
          tell(below(folder.path, node.name), found->second);
          break;
        }
      }
    }
  }
  return {};
}

void SnapshotWarmer::tell(const std::string& path, const Error& error) {
  ++figures_.errors;
  on_damage_(path, error);
}

Status SnapshotWarmer::check_kept(std::uint64_t dropped_before) const {
  const std::uint64_t dropped = cache_.figures().dropped - dropped_before;
  if (dropped == 0) return {};
  return Error(ErrorKind::kLocalIo,
               fmt::format("{} parts of the snapshot are not in the cache {}: it has no room for "
                           "them, or its disk is full or too slow",
                           dropped, cache_.path()));
}

}  // namespace restree
