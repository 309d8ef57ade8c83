#include "repo/storage/decorators/chosen_storage.h"

namespace restree {

void ChosenStorage::choose(FileType type, std::set<std::string> names) {
  chosen_.lock()->insert_or_assign(type, std::move(names));
}

Result<std::vector<ListedFile>> ChosenStorage::list(FileType type, Deadline by) {
  ASSIGN_OR_RETURN(std::vector<ListedFile> files, inner().list(type, by));
  auto chosen = chosen_.lock();
  const auto names = chosen->find(type);
  if (names == chosen->end()) return files;
  std::erase_if(files, [&](const ListedFile& one) { return !names->second.contains(one.name); });
  return files;
}

}  // namespace restree
