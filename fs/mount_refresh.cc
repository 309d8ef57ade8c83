// The part of Mount that follows the snapshots as they come and go.
#include <algorithm>
#include <utility>

#include "fs/mount.h"
#include "repo/base/guarded.h"
#include "repo/base/log.h"
#include "repo/base/thread_pool.h"

namespace restree {
namespace {

constexpr std::size_t kParallelSnapshots = 8;
// A listing of a directory that changes goes on in the namespace it began in; three changes later
// it begins to see the newest.
constexpr std::size_t kRememberedSpaces = 4;

}  // namespace

Result<std::unique_ptr<Mount>> Mount::open(Repository& repository, MountOptions options) {
  std::unique_ptr<Mount> mount(new Mount(repository, std::move(options)));
  RETURN_IF_ERROR(repository.refresh_index(mount->deadline()));
  RETURN_IF_ERROR(mount->load_snapshots(mount->deadline()));
  mount->spaces_.lock()->recent.push_back(mount->build_namespace());
  return mount;
}

// Brings snapshots_ up to date, as far as it comes.
Status Mount::load_snapshots(Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<SnapshotId> ids, repository_.list_snapshots(by));
  if (!repository_.is_offline()) *listed_.lock() = std::chrono::system_clock::now();
  const std::unordered_set<SnapshotId> listed(ids.begin(), ids.end());
  const std::size_t forgotten = std::erase_if(
      snapshots_.readable, [&](const auto& known) { return !listed.contains(known.first); });
  if (forgotten > 0) snapshots_.changed = true;

  std::vector<SnapshotId> fresh;
  std::copy_if(ids.begin(), ids.end(), std::back_inserter(fresh),
               [&](const SnapshotId& id) { return !snapshots_.readable.contains(id); });
  Guarded<std::vector<Snapshot>> loaded;
  RETURN_IF_ERROR(parallel_for(fresh.size(), kParallelSnapshots, [&](std::size_t i) -> Status {
    Result<Snapshot> snapshot = repository_.load_snapshot(fresh[i], by);
    if (!snapshot && snapshot.error().kind() == ErrorKind::kNotFound) return {};  // forgotten since
    if (!snapshot && snapshot.error().kind() == ErrorKind::kUnavailable) {
      return std::move(snapshot).error();
    }
    if (!snapshot) {
      // Tried again at every refresh, since it may be on its way here; told once.
      if (!snapshots_.unreadable.contains(fresh[i])) {
        log::error("snapshot {} is not shown: {}", fresh[i].hex(), snapshot.error().message());
      }
      return {};
    }
    loaded.lock()->push_back(std::move(*snapshot));
    return {};
  }));
  if (!loaded.lock()->empty()) snapshots_.changed = true;
  for (Snapshot& snapshot : *loaded.lock()) {
    const SnapshotId id = snapshot.id;
    snapshots_.readable.emplace(id, std::make_shared<const Snapshot>(std::move(snapshot)));
  }
  snapshots_.unreadable.clear();
  for (const SnapshotId& id : fresh) {
    if (!snapshots_.readable.contains(id)) snapshots_.unreadable.insert(id);
  }
  return {};
}

std::shared_ptr<const Namespace> Mount::build_namespace() {
  std::vector<std::shared_ptr<const Snapshot>> all;
  for (const auto& [id, snapshot] : snapshots_.readable) all.push_back(snapshot);
  snapshots_.changed = false;
  return Namespace::build(std::move(all), options_.names);
}

Result<Mount::Changes> Mount::refresh() {
  const Deadline by = deadline();
  RETURN_IF_ERROR(load_snapshots(by));
  RETURN_IF_ERROR(repository_.refresh_index(by));
  if (repository_.is_offline()) {
    return Error(ErrorKind::kUnavailable, "the repository is still out of reach");
  }
  Changes changes;
  if (!snapshots_.changed) return changes;

  const std::shared_ptr<const Namespace> before = current().space;
  const std::shared_ptr<const Namespace> now = build_namespace();
  {
    auto spaces = spaces_.lock();
    spaces->recent.push_back(now);
    ++spaces->generation;
    if (spaces->recent.size() > kRememberedSpaces) spaces->recent.pop_front();
  }
  now->for_each([&](const VirtualNode& node) {
    if (node.kind == VirtualNode::Kind::kDirectory) changes.directories.push_back(node.inode);
  });
  before->for_each([&](const VirtualNode& node) {
    for (const auto& [name, inode] : node.children) {
      const VirtualNode* same = now->find(node.inode);
      const VirtualNode* child = same == nullptr ? nullptr : now->child(*same, name);
      if (child == nullptr || child->inode != inode) changes.gone.push_back({node.inode, name});
    }
  });
  return changes;
}

}  // namespace restree
