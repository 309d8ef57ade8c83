#include "repo/restorer/target_place.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <random>
#include <utility>

#include "repo/restorer/unexpected_entries.h"

namespace restree {
namespace {

Error in_the_way(int errno_value, const std::string& path) {
  Error error = errno_error(errno_value, "remove what is in the place of " + path);
  if (errno_value != ENOTEMPTY && errno_value != EEXIST) return error;
  return std::move(error).hinting("With --delete a folder goes with all that lies in it.");
}

Status remove_old_folder(const UniqueFd& folder, const std::string& name, const std::string& path,
                         bool remove_folder) {
  if (remove_folder) return remove_entry(folder, name, path, false, [](const auto&) {});
  if (::unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR) != 0) return in_the_way(errno, path);
  return {};
}

}  // namespace

std::string unused_name() {
  // A run that was killed may have left one of its names. Process ids come again soon in a container.
  static const std::uint64_t run = [] {
    std::random_device random;
    return (std::uint64_t{random()} << 32) | random();
  }();
  static std::atomic<unsigned> count = 0;
  return fmt::format(".restree-{:016x}-{}", run, count++);
}

Status check_place(const UniqueFd& folder, const std::string& name, const std::string& path,
                   bool remove_folder) {
  if (remove_folder) return {};
  const UniqueFd there(::openat(folder.get(), name.c_str(), kOpenFolder));
  if (!there) return {};  // no folder, or one that removing will tell about
  ASSIGN_OR_RETURN(const auto entries, entries_of(there, path));
  if (!entries.empty()) return in_the_way(ENOTEMPTY, path);
  return {};
}

Status take_place(const UniqueFd& from, const std::string& made, const UniqueFd& folder,
                  const std::string& name, const std::string& path, bool remove_folder) {
  const auto rename = [&](unsigned flags) {
    return ::renameat2(from.get(), made.c_str(), folder.get(), name.c_str(), flags) == 0;
  };
  if (rename(0)) {
    // Between two names of one file renaming does nothing.
    ::unlinkat(from.get(), made.c_str(), 0);
    return {};
  }
  if (errno != EISDIR) return errno_error(errno, "replace " + path);
  if (!rename(RENAME_EXCHANGE)) {  // not every file system can do that
    RETURN_IF_ERROR(remove_old_folder(folder, name, path, remove_folder));
    if (!rename(0)) return errno_error(errno, "replace " + path);
    return {};
  }
  Status removed = remove_old_folder(from, made, path, remove_folder);
  if (!removed) rename(RENAME_EXCHANGE);
  return removed;
}

Status make_folder_in_place(const UniqueFd& folder, const std::string& name, mode_t mode,
                            const std::string& path) {
  const std::string old = unused_name();
  if (::renameat(folder.get(), name.c_str(), folder.get(), old.c_str()) != 0) {
    return errno_error(errno, "move " + path + " away, which is not a folder");
  }
  if (::mkdirat(folder.get(), name.c_str(), mode) != 0) {
    const int failure = errno;
    // Not over what others have made there meanwhile.
    ::renameat2(folder.get(), old.c_str(), folder.get(), name.c_str(), RENAME_NOREPLACE);
    return errno_error(failure, "make folder " + path);
  }
  if (::unlinkat(folder.get(), old.c_str(), 0) != 0) {
    return errno_error(errno, "remove " + old + ", which was in the place of folder " + path);
  }
  return {};
}

}  // namespace restree
