// What the tests about lost files share: the config's name, and a repository with another master key
// (those of MemoryRepository all have the same).
#pragma once

#include <memory>
#include <string>

#include "repo/format/snapshot.h"
#include "repo/repository_creation.h"
#include "repo/storage/memory_storage.h"
#include "tests/support/memory_repository.h"

namespace restree::testing {

inline const FileName kConfigFile{FileType::kConfig, ""};

// With one snapshot.
inline std::shared_ptr<MemoryStorage> another_repository() {
  const auto storage = std::make_shared<MemoryStorage>();
  const Secret password{std::string(kPassword)};
  value_of(create_repository(*storage, password, {.scrypt = kQuickKey}, soon()));
  Snapshot snapshot;
  snapshot.paths = {"/"};
  value_of(
      value_of(Repository::open(storage, password, "", soon()))->save_snapshot(snapshot, soon()));
  return storage;
}

}  // namespace restree::testing
