// A storage that lists only chosen files of some types. What has another name can be read all the same.
//
// Ownership: shares the storage. Threads: any; a choice holds for listings that end after it.
// Limits, errors: those of the storage.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"

namespace restree {

class ChosenStorage final : public ForwardingStorage {
 public:
  using ForwardingStorage::ForwardingStorage;

  // From now on, of this type only these are listed.
  void choose(FileType type, std::set<std::string> names);

  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;

 private:
  Guarded<std::map<FileType, std::set<std::string>>> chosen_;
};

}  // namespace restree
