#include "repo/storage/odd_files.h"

#include <sys/stat.h>

#include "repo/base/log.h"

namespace restree {
namespace {

std::string_view type_in_words(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "a folder";
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    case S_IFLNK:
      return "a link that leads nowhere";
    default:
      return "a device";
  }
}

}  // namespace

Status expect_regular(const std::string& path, mode_t mode) {
  if (S_ISREG(mode)) return {};
  return Error(ErrorKind::kCorrupt,
               fmt::format("{} is {}, where a file should be", path, type_in_words(mode)));
}

Error filled_folder(const std::string& path) {
  return Error(ErrorKind::kCorrupt,
               fmt::format("remove {}: it is a folder with files in it, where a file should be",
                           path))
      .hinting("Move the folder away.");
}

void OddFiles::warn_once(const std::string& path, const Error& why) {
  {
    auto named = named_.lock();
    if (named->size() >= kMostNamed || !named->insert(path).second) return;
  }
  log::warning("{}; this entry is left out", why.message());
}

}  // namespace restree
