#include "fs/views_ahead.h"

#include <exception>
#include <vector>

#include "repo/base/log.h"

namespace restree {
namespace {

// A program that asks for so many snapshots of a directory asks for all.
constexpr unsigned kShownBefore = 2;

}  // namespace

ViewsAhead::ViewsAhead(SnapshotViews& views, std::chrono::milliseconds time_limit)
    : views_(views), time_limit_(time_limit), opener_(1, kMostWaiting) {}

ViewsAhead::~ViewsAhead() { ending_ = true; }

void ViewsAhead::directory_is_listed(std::uint64_t directory) {
  auto listed = listed_.lock();
  if (listed->size() >= kMostListed) listed->clear();
  listed->try_emplace(directory, 0);
}

void ViewsAhead::snapshot_is_shown(const std::shared_ptr<const Namespace>& space,
                                   const VirtualNode& snapshot) {
  if (views_.knows(snapshot.inode)) return;
  {
    auto listed = listed_.lock();
    const auto found = listed->find(snapshot.parent);
    if (found == listed->end() || ++found->second < kShownBefore) return;
    listed->erase(found);
  }
  opener_.try_submit([this, space, directory = snapshot.parent] {
    try {
      open_all(*space, directory);
    } catch (const std::exception& failure) {  // no thread, no memory
      log::debug("snapshots are not opened ahead: {}", failure.what());
    }
  });
}

// In the order of the listing, in which the program will ask.
void ViewsAhead::open_all(const Namespace& space, std::uint64_t directory) {
  const VirtualNode* const listed = space.find(directory);
  if (listed == nullptr) return;
  std::vector<const VirtualNode*> wanted;
  for (const auto& [name, inode] : listed->children) {
    const VirtualNode* const child = space.find(inode);
    if (child->kind != VirtualNode::Kind::kSnapshot || views_.knows(inode)) continue;
    wanted.push_back(child);
  }
  // A snapshot that cannot be opened keeps none of the others from it.
  static_cast<void>(parallel_for(wanted.size(), kAtOnce, [&](std::size_t i) -> Status {
    if (!ending_) static_cast<void>(views_.number_of(*wanted[i], Deadline::after(time_limit_)));
    return {};
  }));
}

}  // namespace restree
