#include "fs/snapshot_list.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "repo/base/log.h"
#include "repo/base/thread_pool.h"
#include "repo/snapshots/future_dates.h"

namespace restree {
namespace {

constexpr std::uint32_t kGenerationMask = (std::uint32_t{1} << SnapshotList::kGenerationBits) - 1;

SnapshotList::Changes changes_between(const Namespace& before, const Namespace& now) {
  SnapshotList::Changes changes;
  now.for_each([&](const VirtualNode& node) {
    if (node.kind == VirtualNode::Kind::kDirectory) changes.directories.push_back(node.inode);
  });
  before.for_each([&](const VirtualNode& node) {
    for (const auto& [name, inode] : node.children) {
      const VirtualNode* same = now.find(node.inode);
      const VirtualNode* child = same == nullptr ? nullptr : now.child(*same, name);
      if (child == nullptr || child->inode != inode) changes.gone.push_back({node.inode, name});
    }
  });
  return changes;
}

}  // namespace

SnapshotList::SnapshotList(Repository& repository, NamespaceOptions options)
    : repository_(repository), options_(std::move(options)) {}

Status SnapshotList::load(Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<SnapshotId> ids, repository_.list_snapshots(by));
  if (!repository_.is_offline()) *listed_.lock() = std::chrono::system_clock::now();
  forget_all_but(ids);
  std::vector<SnapshotId> fresh;
  std::copy_if(ids.begin(), ids.end(), std::back_inserter(fresh),
               [&](const SnapshotId& id) { return !readable_.contains(id); });
  return load_new(fresh, by);
}

void SnapshotList::forget_all_but(const std::vector<SnapshotId>& listed) {
  const std::unordered_set<SnapshotId> there(listed.begin(), listed.end());
  const std::size_t forgotten =
      std::erase_if(readable_, [&](const auto& known) { return !there.contains(known.first); });
  if (forgotten > 0) has_changed_ = true;
}

Status SnapshotList::load_new(const std::vector<SnapshotId>& ids, Deadline by) {
  Guarded<std::vector<Snapshot>> loaded;
  Guarded<Unreadable> unreadable;
  RETURN_IF_ERROR(parallel_for(ids.size(), kParallelSnapshots, [&](std::size_t i) -> Status {
    Result<Snapshot> snapshot = repository_.load_snapshot(ids[i], by);
    if (snapshot) {
      loaded.lock()->push_back(std::move(*snapshot));
      return {};
    }
    // Not found: it was forgotten after it was listed.
    if (snapshot.error().kind() == ErrorKind::kNotFound) return {};
    const ErrorKind kind = snapshot.error().kind();
    if (kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled) {
      return std::move(snapshot).error();
    }
    log_unreadable(ids[i], snapshot.error());
    unreadable.lock()->emplace(ids[i], snapshot.error().message());
    return {};
  }));
  unreadable_ = std::move(*unreadable.lock());
  if (!loaded.lock()->empty()) has_changed_ = true;
  for (Snapshot& snapshot : std::exchange(*loaded.lock(), {})) {
    const SnapshotId id = snapshot.id;
    readable_.emplace(id, std::make_shared<const Snapshot>(std::move(snapshot)));
  }
  return {};
}

void SnapshotList::log_unreadable(const SnapshotId& id, const Error& error) const {
  // Every load tries it again, since the file may still be on its way to the repository.
  if (unreadable_.contains(id)) return;
  log::error("snapshot {} is not shown: {}", id.hex(), error.message());
}

// The clock may have come to a date since the last time.
void SnapshotList::look_at_dates(Timestamp now) {
  std::unordered_set<SnapshotId> of_future;
  for (const auto& [id, snapshot] : readable_) {
    if (!is_of_future(snapshot->time, now)) continue;
    of_future.insert(id);
    if (of_future_.contains(id) || !options_.filter.matches(*snapshot)) continue;
    log::warning(
        "snapshot {} is dated in the future ({}): `latest` leads to it only where there is no "
        "other",
        id.short_hex(), format_timestamp(snapshot->time));
  }
  if (of_future != of_future_) has_changed_ = true;
  of_future_ = std::move(of_future);
}

SnapshotList::Changes SnapshotList::publish(Timestamp now) {
  look_at_dates(now);
  if (!has_changed_) return {};
  std::vector<std::shared_ptr<const Snapshot>> all;
  all.reserve(readable_.size());
  for (const auto& [id, snapshot] : readable_) all.push_back(snapshot);
  const std::shared_ptr<const Namespace> built = Namespace::build(std::move(all), options_, now);
  has_changed_ = false;

  std::shared_ptr<const Namespace> before;
  {
    auto spaces = spaces_.lock();
    if (!spaces->kept.empty()) {
      before = spaces->kept.back();
      ++spaces->generation;
    }
    spaces->kept.push_back(built);
    if (spaces->kept.size() > kKeptNamespaces) spaces->kept.pop_front();
  }
  return before == nullptr ? Changes() : changes_between(*before, *built);
}

SnapshotList::Published SnapshotList::newest() const {
  const auto spaces = spaces_.lock();
  return {spaces->kept.back(), spaces->generation};
}

SnapshotList::Published SnapshotList::of_generation(std::uint32_t generation) const {
  const auto spaces = spaces_.lock();
  const std::uint32_t age = (spaces->generation - generation) & kGenerationMask;
  if (age >= spaces->kept.size()) return {spaces->kept.back(), spaces->generation};
  return {spaces->kept[spaces->kept.size() - 1 - age], generation};
}

}  // namespace restree
