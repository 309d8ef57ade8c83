#include "repo/archiver/folder_work.h"

#include <fcntl.h>

namespace restree {

SourcePlace FolderWork::place_of(const Entry& entry) const {
  if (entry.target != nullptr) return {AT_FDCWD, entry.target->source_path};
  return {fd.get(), entry.name};
}

std::string FolderWork::source_path_of(const Entry& entry) const {
  if (entry.target != nullptr) return entry.target->absolute_path;
  return source_path == "/" ? source_path + entry.name : source_path + "/" + entry.name;
}

}  // namespace restree
