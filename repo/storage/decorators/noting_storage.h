// A storage that notes which files of a repository it has listed, written and removed.
//
// Ownership: shares the storage. Threads: any. Limits: memory: the names of keys, index files and
// snapshots. Errors: those of the storage.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"

namespace restree {

class NotingStorage final : public ForwardingStorage {
 public:
  struct Noted {
    // As last listed; nullopt: never.
    std::optional<std::set<std::string>> listed;
    std::chrono::system_clock::time_point listed_at;  // when that was asked for
    std::set<std::string> written;
    std::set<std::string> removed;
  };
  // Called before the first file of a type is removed, with no lock held.
  using BeforeRemoval = std::function<void(FileType type)>;

  NotingStorage(std::shared_ptr<Storage> inner, BeforeRemoval before_removal)
      : ForwardingStorage(std::move(inner)), before_removal_(std::move(before_removal)) {}

  // Of locks and packs nothing is noted.
  Noted noted(FileType type) const;
  // The listing that was asked for then is not wanted any more; a later one stays.
  void forget_listed(FileType type, std::chrono::system_clock::time_point listed_at);

  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Status write(const FileName& file, ByteView content, Deadline by) override;
  Status remove(const FileName& file, Deadline by) override;

 private:
  struct State {
    std::map<FileType, Noted> noted;
    std::set<FileType> removing;
  };

  const BeforeRemoval before_removal_;
  Guarded<State> state_;
};

}  // namespace restree
