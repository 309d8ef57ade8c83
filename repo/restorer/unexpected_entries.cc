#include "repo/restorer/unexpected_entries.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "repo/system/file_io.h"

namespace restree {
namespace {

// A folder whose entries are being removed.
struct Level {
  UniqueFd fd;
  std::string name;
  std::string path;
  std::vector<std::string> entries;  // still to do
};

}  // namespace

Result<std::vector<std::string>> entries_of(const UniqueFd& folder, const std::string& path) {
  // A descriptor of its own: fdopendir takes it, and the position with it.
  const int fd = ::openat(folder.get(), ".", kOpenFolder);
  const DirectoryStream directory(fd < 0 ? nullptr : ::fdopendir(fd));
  if (directory == nullptr) {
    const int failed = errno;
    if (fd >= 0) ::close(fd);
    return errno_error(failed, "list folder " + path);
  }
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name = &entry->d_name[0];
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return errno_error(errno, "list folder " + path);
  std::ranges::sort(names);
  return names;
}

Status remove_entry(const UniqueFd& folder, const std::string& name, const std::string& path,
                    bool dry_run, const std::function<void(const std::string&)>& removed) {
  std::vector<Level> levels;
  // Opens a folder to be emptied, or removes anything else.
  const auto visit = [&](const std::string& entry, const std::string& entry_path) -> Status {
    const int parent = levels.empty() ? folder.get() : levels.back().fd.get();
    UniqueFd fd(::openat(parent, entry.c_str(), kOpenFolder | O_NONBLOCK));
    if (fd) {
      ASSIGN_OR_RETURN(std::vector<std::string> entries, entries_of(fd, entry_path));
      levels.push_back({std::move(fd), entry, entry_path, std::move(entries)});
      return {};
    }
    if (errno != ENOTDIR && errno != ELOOP) return errno_error(errno, "open " + entry_path);
    if (!dry_run && ::unlinkat(parent, entry.c_str(), 0) != 0) {
      return errno_error(errno, "remove " + entry_path);
    }
    removed(entry_path);
    return {};
  };
  RETURN_IF_ERROR(visit(name, path));
  while (!levels.empty()) {
    Level& level = levels.back();
    if (!level.entries.empty()) {
      const std::string entry = std::move(level.entries.back());
      level.entries.pop_back();
      RETURN_IF_ERROR(visit(entry, level.path + "/" + entry));
      continue;
    }
    const Level done = std::move(levels.back());
    levels.pop_back();
    const int parent = levels.empty() ? folder.get() : levels.back().fd.get();
    if (!dry_run && ::unlinkat(parent, done.name.c_str(), AT_REMOVEDIR) != 0) {
      return errno_error(errno, "remove folder " + done.path);
    }
    removed(done.path);
  }
  return {};
}

}  // namespace restree
