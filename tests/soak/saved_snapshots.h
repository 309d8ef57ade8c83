// The snapshots of a soak that programs may read, and what has to be in each.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "tests/soak/manifest.h"
#include "tests/support/split_mix.h"

namespace restree::testing {

struct SavedSnapshot {
  std::string id;
  std::shared_ptr<const Manifest> manifest;
  std::atomic<bool> going = false;  // it is about to be forgotten, and may be gone
};
using SavedSnapshotPointer = std::shared_ptr<SavedSnapshot>;

class SavedSnapshots {
 public:
  void add(std::string id, std::shared_ptr<const Manifest> manifest) {
    auto snapshot = std::make_shared<SavedSnapshot>();
    snapshot->id = std::move(id);
    snapshot->manifest = std::move(manifest);
    all_.lock()->push_back(std::move(snapshot));
  }
  std::vector<SavedSnapshotPointer> all() const { return *all_.lock(); }
  SavedSnapshotPointer any(SplitMix64& random) const {
    const auto all = all_.lock();
    return all->at(random() % all->size());
  }
  // From now on nobody is given one of these, and whoever has one may fail to read it.
  void take_away(std::size_t count, SplitMix64& random) {
    auto all = all_.lock();
    for (; count > 0 && all->size() > 1; --count) {
      const auto one = all->begin() + static_cast<std::ptrdiff_t>(random() % all->size());
      (*one)->going = true;
      all->erase(one);
    }
  }

 private:
  Guarded<std::vector<SavedSnapshotPointer>> all_;
};

}  // namespace restree::testing
